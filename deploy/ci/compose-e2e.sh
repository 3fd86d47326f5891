#!/usr/bin/env bash
# Brings docker-compose.yml up, drives frames through to anomaly events, checks results and containers, and takes everything down again. Leaves
# Grafana out where its image is not on this machine. Uses the images of deploy/ci/base-images.sh unless *_IMAGE says otherwise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
began="$(date +%s)"
say() { echo "[$(($(date +%s) - began)) s] $*"; }
fail() { echo "compose: $*" >&2; exit 1; }

kafka_version="$(sed -n 's#.*<kafka.version>\(.*\)</kafka.version>.*#\1#p' pom.xml)"
export COMPOSE_PROJECT_NAME="${COMPOSE_PROJECT_NAME:-linesight-ci}"
export KAFKA_IMAGE="${KAFKA_IMAGE:-local/kafka:$kafka_version}" REGISTRY_IMAGE="${REGISTRY_IMAGE:-local/apicurio:2.6.13.Final}"
export PROMETHEUS_IMAGE="${PROMETHEUS_IMAGE:-local/prometheus:debian}" LINESIGHT_IMAGE="${LINESIGHT_IMAGE:-linesight:local}"
export KAFKA_PORT="${KAFKA_PORT:-29392}" REGISTRY_PORT="${REGISTRY_PORT:-29381}" PROMETHEUS_PORT="${PROMETHEUS_PORT:-29390}" GRAFANA_PORT="${GRAFANA_PORT:-29300}"
compose() { docker-compose "$@"; }

finish() {
  local status=$?
  if [ "$status" -ne 0 ]; then compose ps >&2 || true; compose logs --no-color --tail=40 >&2 || true; fi
  compose kill >/dev/null 2>&1 || true
  compose down -v --remove-orphans >/dev/null 2>&1 || echo "compose: down failed" >&2
  exit "$status"
}
trap finish EXIT

compose config -q
services=(kafka registry setup inspect trainer prometheus)
grafana_image="${GRAFANA_IMAGE:-$(sed -n 's#.*GRAFANA_IMAGE:-\([^}]*\)}.*#\1#p' docker-compose.yml)}"
if docker image inspect "$grafana_image" >/dev/null 2>&1; then
  services+=(grafana)
else
  say "grafana: left out, its image $grafana_image is not on this machine"
fi
compose up -d --scale inspect=2 "${services[@]}" 2>&1 | grep -vE '^Creating (volume|network)' || true
say "up: ${services[*]}"

containers() { compose ps -q "$1"; }
health() { docker inspect -f '{{.State.Status}}/{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}' "$1"; }
[ "$(containers inspect | wc -l)" -eq 2 ] || fail "there are not two instances of inspect"
for service in kafka registry inspect trainer; do
  for container in $(containers "$service"); do
    for _ in $(seq 1 90); do
      [ "$(health "$container")" != running/healthy ] || break
      sleep 1
    done
    [ "$(health "$container")" = running/healthy ] || fail "$service is $(health "$container") after 90 s"
  done
done
say "healthy: kafka, registry, inspect x 2, trainer"

# Forty frames, half of them defective; the command fails when one is lost or doubled.
summary="$(compose run --rm -T camera camera --cameras 4 --fps 4 --limit 10 --defects 0.5 --wait)" || fail "the frames did not come through: $summary"
echo "$summary"
grep -q '^Sent 40 frames' <<<"$summary" || fail "not all frames were sent"
say "frames through"

# The event as bytes: 00, four bytes of schema id, Avro. The registry must know the id as our schema.
consume() {
  compose exec -T kafka java -cp '/opt/kafka/libs/*' org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server kafka:29092 \
    --topic "$1" --from-beginning --max-messages 1 --timeout-ms 20000 \
    --command-property isolation.level=read_committed 2>/dev/null
}
# Into a file: in a pipe the reader would end before the event is written.
event="$(mktemp)"
consume linesight.anomalies.v1 >"$event" || fail "no anomaly event could be read"
header="$(od -An -N5 -tu1 "$event" | tr -s ' ')"
rm -f "$event"
read -r magic a b c d <<<"$header"
[ "$magic" = 0 ] || fail "an anomaly event does not begin with the wire format's 0 but with '$header'"
id=$((a * 16777216 + b * 65536 + c * 256 + d))
schema="$(curl -sSf "http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7/schemas/ids/$id")"
grep -q 'AnomalyEvent' <<<"$schema" || fail "schema $id of an anomaly event is not ours: ${schema:0:200}"
say "anomaly event read back: schema $id, AnomalyEvent"

for service in "${services[@]}"; do
  for container in $(containers "$service"); do
    user="$(docker inspect -f '{{.Config.User}}' "$container")"
    case "$user" in ''|0|0:*|root|root:*) fail "$service runs as root" ;; esac
    [ "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}}' "$container")" = true ] || fail "the root file system of $service can be written"
    [ "$(docker inspect -f '{{.HostConfig.Memory}}' "$container")" -gt 0 ] || fail "$service has no memory limit"
    docker inspect -f '{{range $p, $b := .NetworkSettings.Ports}}{{range $b}}{{.HostIp}} {{end}}{{end}}' "$container" | tr ' ' '\n' | grep -v -e '^127\.0\.0\.1$' -e '^$' && fail "$service has a port open to others"
    [ "$service" = setup ] && continue
    [ "$(docker exec "$container" cat /proc/1/status | sed -n 's/^Uid:\t\([0-9]*\).*/\1/p')" != 0 ] || fail "the process of $service is root's"
    ! docker exec "$container" touch /written 2>/dev/null || fail "$service wrote to its root file system"
  done
done
say "no root, read-only root file systems, memory limits, ports on 127.0.0.1"

query() { curl -sSf -G "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" --data-urlencode "query=$1" | sed -n 's/.*"value":\[[^,]*,"\([^"]*\)"\].*/\1/p'; }
up=""
for _ in $(seq 1 45); do
  up="$(query 'count(up{job="inspect"} == 1)') $(query 'count(up{job="trainer"} == 1)')"
  [ "$up" != "2 1" ] || break
  sleep 1
done
[ "$up" = "2 1" ] || fail "Prometheus does not see two inspect and one trainer but '$up'"
say "Prometheus scrapes inspect x 2 and trainer"

# The demo camera as a service. An instance that stops meanwhile says that every frame it took is committed.
compose up -d --no-deps --scale inspect=2 camera >/dev/null 2>&1
sleep 5
[ "$(health "$(containers camera)")" = running/none ] || fail "the demo camera does not run"
stopped="$(containers inspect | head -n 1)"
docker stop -t 70 "$stopped" >/dev/null
[ "$(docker inspect -f '{{.State.ExitCode}}' "$stopped")" = 0 ] || fail "inspect ended with exit code $(docker inspect -f '{{.State.ExitCode}}' "$stopped") when it was stopped"
grep -q '^Stopped; every frame that was taken has its committed result' <<<"$(docker logs "$stopped" 2>&1)" || fail "inspect did not end in order"
say "stopped in order; compose passed"
