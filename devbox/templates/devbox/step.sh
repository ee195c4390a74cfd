#!/usr/bin/env bash
# Runs a step of the pipeline and notes how long it took: step.sh SECONDS NAME COMMAND [ARGUMENT ...]
# Longer than SECONDS is a warning: the work is done. What fails, fails.
set -uo pipefail
budget=$1 name=$2
shift 2
SECONDS=0
"$@"
code=$?
took=$SECONDS
printf '%s\t%s\t%s\t%s\n' "$name" "$took" "$budget" "$code" >>"$RUNNER_TEMP/steps.tsv"
if ((took > budget)); then echo "::warning title=Over budget::$name took $took s, its budget is $budget s" >&2; fi
exit "$code"
