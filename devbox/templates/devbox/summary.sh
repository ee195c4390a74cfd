#!/usr/bin/env bash
# Writes into the summary of the job what its steps took: summary.sh [SECONDS_OF_EARLIER_JOBS]
# With the seconds of earlier jobs it adds up the run, whose target is five minutes. Waiting for a runner or a reviewer is not counted.
set -euo pipefail
target=300 total=0 earlier=${1-}
touch "$RUNNER_TEMP/steps.tsv"
{
  printf '| step | took | budget | |\n| --- | ---: | ---: | --- |\n'
  while IFS=$'\t' read -r name took budget code; do
    total=$((total + took))
    state=ok
    if ((took > budget)); then state='over budget'; fi
    if ((code != 0)); then state="failed with $code"; fi
    printf '| %s | %s s | %s s | %s |\n' "$name" "$took" "$budget" "$state"
  done <"$RUNNER_TEMP/steps.tsv"
  if [[ -n $earlier ]]; then
    sum=$((total + earlier))
    state=ok
    if ((sum > target)); then state='over budget'; fi
    printf '| **the whole run** | %s s | %s s | %s |\n' "$sum" "$target" "$state"
  fi
} >"$RUNNER_TEMP/summary.md"
cat "$RUNNER_TEMP/summary.md" >>"$GITHUB_STEP_SUMMARY"
echo "seconds=$total" >>"$GITHUB_OUTPUT"
