#!/usr/bin/env bash
# Refuses a run whose commit is no longer the newest of its branch: an old run that is started again has the allow list of then.
# TOKEN reads a private repository; it is no argument of a program.
set -euo pipefail
if [[ -n ${TOKEN-} ]]; then
  header="Authorization: Basic $(printf 'x-access-token:%s' "$TOKEN" | base64 | tr -d '\n')"
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader GIT_CONFIG_VALUE_0="$header"
fi
# A pattern of ls-remote fits the end of other names, too.
newest=$(git ls-remote --exit-code origin "${GITHUB_REF:?}" | awk -v want="$GITHUB_REF" '$2 == want { print $1 }')
[[ -n $newest && $newest == "${GITHUB_SHA:?}" ]] || {
  printf '%s\n' "This run is for commit $GITHUB_SHA, and the newest of $GITHUB_REF is ${newest:-unknown}. Start a new run." >&2
  exit 1
}
