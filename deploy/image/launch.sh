# What the launcher at the top of the sources and the image's entry point have in common. Sourced, not run.
#   start_linesight JAVA OPTION... -- ARGUMENT...      replaces the shell; CLASSPATH is set by the caller

# One JSON object for every line that is none: what native libraries and the JVM itself write.
stderr_as_json() {
  local line LC_ALL=C
  trap '' INT TERM HUP
  while IFS= read -r line || [ -n "$line" ]; do
    case "$line" in
      '{'*) printf '%s\n' "$line" ;;
      'WARNING: Using incubator modules'*) ;;
      *)
        line="${line//\\/\\\\}"
        line="${line//\"/\\\"}"
        printf '{"timestamp":%(%s)T000,"level":"WARN","threadName":"","loggerName":"stderr","formattedMessage":"%s"}\n' -1 "${line//[[:cntrl:]]/ }"
        ;;
    esac
  done
}

# Whether the command scores: the others do not need the scan's module, and are spared the JVM's warning about it.
uses_scan() {
  local skip="" argument
  for argument in "$@"; do
    if [ -n "$skip" ]; then skip=""; continue; fi
    case "$argument" in
      --log-format) skip=1 ;;
      -*) ;;
      audit | broker | camera | config | help | label | replay | simulate | topics) return 1 ;;
      *) return 0 ;;
    esac
  done
  return 1
}

start_linesight() {
  local java="$1"
  shift
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  ! uses_scan "$@" || options+=(--add-modules jdk.incubator.vector)
  options+=(
    --enable-native-access=ALL-UNNAMED # ONNX Runtime, OpenCV, libtorch, JNA
    -Dorg.bytedeco.javacpp.maxPhysicalBytes=0
    -Dorg.bytedeco.javacpp.logger.debug=false
    -Djava.awt.headless=true
  )
  # Many native threads allocate here; without a bound every one of them gets an arena of its own.
  export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-4}"
  # Names of files need an encoding that has all letters; the plain C locale knows ASCII alone and the JVM would mangle them.
  case "$(locale charmap 2>/dev/null || echo UTF-8)" in
    UTF-8 | utf-8 | utf8) ;;
    *)
      if locale -a 2>/dev/null | grep -qi '^C\.utf-\?8$'; then export LC_ALL=C.UTF-8
      else printf 'linesight: the locale has no UTF-8; names with other than ASCII letters are not read. Set LC_ALL to one that has.\n' >&2
      fi ;;
  esac

  local format="${LINESIGHT_LOG_FORMAT:-text}"
  case " $* " in
    *" --log-format json "* | *" --log-format=json "*) format=json ;;
    *" --log-format text "* | *" --log-format=text "*) format=text ;;
  esac
  # Java's own lines go past the filter, so that none is lost in it when a container ends; a socket cannot be opened like that.
  if [ "${format,,}" = json ]; then
    exec 3>&2
    if { : >>/dev/fd/3; } 2>/dev/null; then
      export LINESIGHT_STDERR=/dev/fd/3
      exec 2> >(stderr_as_json >>/dev/fd/3)
    else
      exec 2> >(stderr_as_json >&3)
    fi
  fi
  # shellcheck disable=SC2086
  exec "$java" "${options[@]}" ${LINESIGHT_JAVA_OPTS:-} io.linesight.app.cli.Linesight "$@"
}
