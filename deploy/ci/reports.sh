# To be sourced: what Maven's reports of tests say. A suite's own numbers are those of its last attempt alone, so its elements are counted.

# elements_of FOLDER NAME prints how many elements of the name are in the reports beneath: testcase, skipped, failure, error.
elements_of() {
  { find "$1" -path '*/target/*-reports/TEST-*.xml' -print0 | xargs -0 -r cat | grep -aE "^ *<$2[ />]" || true; } | wc -l
}

# few_flaky FOLDER prints the tests in the reports beneath that passed only when run again, with what they failed with first; false where there are
# more than two.
few_flaky() {
  local flaky
  flaky="$(find "$1" -path '*/target/*-reports/TEST-*.xml' -print0 | sort -z | xargs -0 -r awk '
    /<testcase / { match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8); match($0, /classname="[^"]*"/); class = substr($0, RSTART + 11, RLENGTH - 12) }
    /<flaky(Failure|Error)/ { sub(/^ *<flaky/, ""); print class "." name ": " substr($0, 1, 300) }')"
  [ -n "$flaky" ] || return 0
  sed 's/^/passed only when run again: /' <<<"$flaky"
  [ "$(wc -l <<<"$flaky")" -le 2 ] || { echo "more than two tests passed only when run again" >&2; return 1; }
}
