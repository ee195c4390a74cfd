#!/usr/bin/env bash
# Writes into the summary of the job what its steps took: summary.sh [SECONDS_OF_AN_EARLIER_JOB ...]
# With the seconds of earlier jobs it adds up the run, whose target is five minutes. Waiting for a runner or a reviewer is not counted.
set -euo pipefail
target=300 total=0 earlier=0
# Bash runs commands in what it takes for a number, as in x[$(command)0]; and a machine wrote these.
check_numbers() {
  local number
  for number in "$@"; do
    [[ $number =~ ^(0|[1-9][0-9]{0,4})$ ]] || { printf 'expected a number of at most five digits, found %q\n' "$number" >&2 && exit 1; }
  done
}
check_numbers "$@"
touch "$RUNNER_TEMP/steps.tsv"
{
  printf '| step | took | budget | |\n| --- | ---: | ---: | --- |\n'
  while IFS=$'\t' read -r name took budget code; do
    check_numbers "$took" "$budget" "$code"
    total=$((total + took))
    state=ok
    if ((took > budget)); then state='over budget'; fi
    if ((code != 0)); then state="failed with $code"; fi
    printf '| %s | %s s | %s s | %s |\n' "$name" "$took" "$budget" "$state"
  done <"$RUNNER_TEMP/steps.tsv"
  if (($# > 0)); then
    for seconds in "$@"; do earlier=$((earlier + seconds)); done
    sum=$((total + earlier))
    state=ok
    if ((sum > target)); then state='over budget'; fi
    printf '| **the whole run** | %s s | %s s | %s |\n' "$sum" "$target" "$state"
  fi
} >"$RUNNER_TEMP/summary.md"
cat "$RUNNER_TEMP/summary.md" >>"$GITHUB_STEP_SUMMARY"
echo "seconds=$total" >>"$GITHUB_OUTPUT"
