#!/usr/bin/env bash
# Builds Linesight's image: jars with Maven, then deploy/Dockerfile. Needs JDK 17, Maven and Docker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'U'
usage: deploy/build-image.sh [--tag linesight:local] [--cuda] [--base IMAGE] [--jre IMAGE] [--no-maven]
  --tag IMAGE    name of the image, repeatable (linesight:local, with --cuda linesight:cuda)
  --cuda         ONNX Runtime with CUDA, on NVIDIA's CUDA 12 run-time image with cuDNN
  --base IMAGE   base image: any glibc Linux with bash and libstdc++ (ubuntu:24.04)
  --jre IMAGE    image that /opt/java/openjdk is copied from (eclipse-temurin:17-jre)
  --no-maven     use the jars in app/target as they are
U
}

tags=() base="" jre="" cuda="" maven=1
while [ $# -gt 0 ]; do
  case "$1" in
    --tag) tags+=("$2"); shift 2 ;;
    --base) base="$2"; shift 2 ;;
    --jre) jre="$2"; shift 2 ;;
    --cuda) cuda=1; shift ;;
    --no-maven) maven=""; shift ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
[ ${#tags[@]} -gt 0 ] || tags=("linesight:${cuda:+cuda}")
[ "${tags[0]}" != "linesight:" ] || tags=(linesight:local)
[ -n "$base" ] || { [ -z "$cuda" ] || base=nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04; }

profiles=()
[ -z "$cuda" ] || profiles=(-Pcuda)
[ -z "$maven" ] || mvn -B -q -ntp -DskipTests -Dspotless.check.skip "${profiles[@]}" package

stage=app/target/image
rm -rf "$stage"
mkdir -p "$stage"/{lib,dependencies,natives,bin}
ours="$(ls app/target/linesight-app-*.jar | grep -v -e '-tests\.jar$' -e '-sources\.jar$')"
cp "$ours" "$stage/lib/"
{ tr ':' '\n' <app/target/classpath.txt; echo; } | while read -r jar; do
  [ -n "$jar" ] || continue
  case "$(basename "$jar")" in
    linesight-*) cp "$jar" "$stage/lib/" ;;
    *) cp "$jar" "$stage/dependencies/" ;;
  esac
done
runtime="$(ls "$stage"/dependencies/onnxruntime*.jar)"
# Unpacked here they need no room in /tmp: with CUDA they are larger than most machines' tmpfs.
(cd "$stage/natives" && jar xf "../dependencies/$(basename "$runtime")" ai/onnxruntime/native/linux-x64 && mv ai/onnxruntime/native/linux-x64/* . && rm -rf ai)
cp deploy/image/* "$stage/bin/"
cp demo/src/main/resources/io/linesight/demo/demo.onnx LICENSE "$stage/"
chmod -R a+rX "$stage"

arguments=()
[ -z "$base" ] || arguments+=(--build-arg "BASE_IMAGE=$base")
[ -z "$jre" ] || arguments+=(--build-arg "JRE_IMAGE=$jre")
for tag in "${tags[@]}"; do arguments+=(-t "$tag"); done
docker build -q -f deploy/Dockerfile "${arguments[@]}" "$stage"
echo "built ${tags[*]}"
