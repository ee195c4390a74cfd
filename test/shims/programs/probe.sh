#!/bin/sh
# Stands in for a tool on Linux, as probe.c does on Windows.
if [ -n "${PROBE_CAT-}" ]; then
  cat
else
  printf 'exe=%s\npid=%s\n' "$0" "$$"
  for word; do printf 'arg=%s\n' "$word"; done
  env | sed 's/^/env=/'
fi
exit "${PROBE_EXIT:-0}"
