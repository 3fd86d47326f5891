#!/usr/bin/env bash
# Makes stand-ins for the images that deploy/Dockerfile and docker-compose.yml take from registries, for machines without a registry:
#   local/debian:bookworm    Debian by debootstrap             local/jre:17         a jlinked run time at /opt/java/openjdk
#   local/kafka:VERSION      Kafka's jars from Maven, laid out like apache/kafka; local/apicurio:VERSION and local/prometheus:debian likewise
# Keeps those that are there already. Needs root (debootstrap), a JDK 17, Maven, Docker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
: "${KAFKA_VERSION:=$(sed -n 's#.*<kafka.version>\(.*\)</kafka.version>.*#\1#p' ../../pom.xml)}"
: "${APICURIO_VERSION:=2.6.13.Final}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export DOCKER_BUILDKIT=0
missing() { ! docker image inspect "$1" >/dev/null 2>&1; }
began="$(date +%s)"
say() { echo "[$(($(date +%s) - began)) s] $*"; }

if missing local/debian:bookworm; then
  say "local/debian:bookworm"
  debootstrap --variant=minbase bookworm "$work/root" >"$work/debootstrap.log" 2>&1 || { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
  tar -C "$work/root" --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' -c . \
    | docker import - local/debian:bookworm >/dev/null
  rm -rf "$work/root"
fi

if missing local/jre:17; then
  say "local/jre:17"
  mkdir "$work/jre"
  jlink --add-modules java.se,jdk.unsupported,jdk.management,jdk.crypto.ec,jdk.zipfs,jdk.httpserver,jdk.net,jdk.incubator.vector,jdk.security.auth,jdk.naming.dns,jdk.localedata \
    --strip-debug --no-man-pages --no-header-files --compress=2 --output "$work/jre/openjdk"
  printf 'FROM local/debian:bookworm\nCOPY openjdk /opt/java/openjdk\nENV JAVA_HOME=/opt/java/openjdk PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' >"$work/jre/Dockerfile"
  docker build -q -t local/jre:17 "$work/jre" >/dev/null
fi

if missing "local/kafka:$KAFKA_VERSION"; then
  say "local/kafka:$KAFKA_VERSION"
  mkdir -p "$work/kafka"
  cat >"$work/kafka/pom.xml" <<P
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$KAFKA_VERSION</version></dependency>
    <!-- Without a back end nothing is logged, and a wait for a line in the log never ends. -->
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.24.3</version></dependency>
  </dependencies></project>
P
  mvn -q -B -ntp -f "$work/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/kafka/libs"
  cp -r kafka "$work/kafka/etc"
  cat >"$work/kafka/Dockerfile" <<'D'
FROM local/jre:17
COPY libs /opt/kafka/libs
COPY etc /etc/kafka/docker
RUN useradd -r -u 1000 appuser && chmod 755 /etc/kafka/docker/run && \
    mkdir -p /opt/kafka/config /opt/kafka/logs /opt/kafka/bin /mnt/shared/config /etc/kafka/secrets /var/lib/kafka/data && \
    chown -R appuser:appuser /opt/kafka /mnt/shared/config /etc/kafka/secrets /var/lib/kafka/data
USER appuser
VOLUME /etc/kafka/secrets /var/lib/kafka/data /mnt/shared/config
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
D
  docker build -q -t "local/kafka:$KAFKA_VERSION" "$work/kafka" >/dev/null
  rm -rf "$work/kafka"
fi

if missing "local/apicurio:$APICURIO_VERSION"; then
  say "local/apicurio:$APICURIO_VERSION"
  mkdir -p "$work/apicurio/deployments"
  mvn -q -B -ntp org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="io.apicurio:apicurio-registry-app:$APICURIO_VERSION:tar.gz:all" -DoutputDirectory="$work/apicurio"
  tar -C "$work/apicurio/deployments" -xzf "$work"/apicurio/*.tar.gz
  rm "$work"/apicurio/*.tar.gz
  cat >"$work/apicurio/Dockerfile" <<'D'
FROM local/jre:17
COPY deployments /deployments
USER 1001:0
WORKDIR /deployments
EXPOSE 8080
CMD ["sh", "-c", "exec java -Xmx256m -XX:TieredStopAtLevel=1 -Dquarkus.http.host=0.0.0.0 -jar /deployments/*-runner.jar"]
D
  docker build -q -t "local/apicurio:$APICURIO_VERSION" "$work/apicurio" >/dev/null
  rm -rf "$work/apicurio"
fi

if missing local/prometheus:debian; then
  say "local/prometheus:debian"
  mkdir -p "$work/prometheus/root"
  (cd "$work/prometheus" && apt-get download -qq prometheus 2>/dev/null && dpkg -x prometheus_*.deb root)
  cat >"$work/prometheus/Dockerfile" <<'D'
FROM local/debian:bookworm
COPY root/usr/bin/prometheus root/usr/bin/promtool /bin/
RUN mkdir -p /etc/prometheus /prometheus && chown 65534:65534 /prometheus
USER 65534:65534
VOLUME /prometheus
WORKDIR /prometheus
EXPOSE 9090
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
D
  docker build -q -t local/prometheus:debian "$work/prometheus" >/dev/null
fi
say "images: $(docker images --format '{{.Repository}}:{{.Tag}} {{.Size}}' 'local/*' | tr '\n' ';')"
