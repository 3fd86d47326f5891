#!/usr/bin/env bash
# Everything in containers that CI does, on a bare Debian machine without an image registry: engine, images, docker-compose end to end, container
# tests. Uses an engine that runs; otherwise starts one and stops it at the end. Needs root, a JDK 17 and Maven. Expects that 'mvn verify' ran.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
began="$(date +%s)"
say() { echo "containers: [$(($(date +%s) - began)) s] $*"; }
state=""

stop_engine() {
  [ -n "$state" ] || return 0
  local pid
  pid="$(cat "$state/dockerd.pid" 2>/dev/null || true)"
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 1 60); do kill -0 "$pid" 2>/dev/null || break; sleep 0.5; done
    ! kill -0 "$pid" 2>/dev/null || echo "containers: dockerd $pid still runs" >&2
  fi
  # What it changed in the kernel's network goes back to how it was.
  iptables-save | grep -vE 'DOCKER|docker0|br-[0-9a-f]{12}' | sed 's/^:FORWARD DROP/:FORWARD ACCEPT/' | iptables-restore 2>/dev/null || true
  ip link del docker0 2>/dev/null || true
  sysctl -qw net.ipv4.ip_forward="$(cat "$state/ip_forward" 2>/dev/null || echo 0)" || true
  for mounted in "$state"/exec/netns/*; do umount "$mounted" 2>/dev/null || true; done
  rm -rf "$state" || true
}
trap stop_engine EXIT

if ! command -v dockerd >/dev/null || ! command -v docker-compose >/dev/null || ! command -v debootstrap >/dev/null || ! command -v curl >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 docker.io docker-compose debootstrap iptables iproute2 procps curl >/dev/null
  say "engine installed"
fi
if ! docker info >/dev/null 2>&1; then
  state="$(mktemp -d)"
  sysctl -n net.ipv4.ip_forward >"$state/ip_forward"
  setsid dockerd --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/dockerd.pid" </dev/null >"$state/dockerd.log" 2>&1 &
  for _ in $(seq 1 60); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
  docker info >/dev/null 2>&1 || { tail -n 20 "$state/dockerd.log" >&2; echo "containers: dockerd did not start" >&2; exit 1; }
  say "engine started"
fi
export DOCKER_BUILDKIT=0   # an engine without buildx, as Debian's, has only the other builder

bash deploy/ci/base-images.sh
deploy/build-image.sh --no-maven --base local/debian:bookworm --jre local/jre:17 2>&1 | grep -v -i -e deprecated -e buildkit -e '^$' -e environment-variable
say "images built"
bash deploy/ci/compose-e2e.sh
say "docker-compose end to end passed"

# Testcontainers: no helper image can be had, and whatever looks like a container around us is none.
export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=localhost TESTCONTAINERS_PULL_TIMEOUT=5
kafka_version="$(sed -n 's#.*<kafka.version>\(.*\)</kafka.version>.*#\1#p' pom.xml)"
rm -rf container-tests/target/failsafe-reports
mkdir -p container-tests/target
status=0
mvn -B -ntp verify -pl container-tests -am -Dtest=none -Dit.test='io/linesight/containers/*IT*' -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false \
  -Dlinesight.kafka.image="local/kafka:$kafka_version" -Dlinesight.registry.image=local/apicurio:2.6.13.Final >container-tests/target/ci.log 2>&1 || status=$?
grep -E "^books: |Tests run:" container-tests/target/ci.log || true
[ "$status" -eq 0 ] || tail -n 100 container-tests/target/ci.log >&2
report="$(java deploy/ci/TestReport.java container-tests)" || status=1
echo "$report"
say "container tests done"
[ "$status" -eq 0 ] || exit "$status"
grep -q ', 0 skipped$' <<<"$report" || { echo "containers: container tests were skipped" >&2; exit 1; }
