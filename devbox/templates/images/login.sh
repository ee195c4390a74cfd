#!/usr/bin/env bash
# Logs docker in to the registry of IMAGE: to ghcr.io by the token of the run, which no other registry gets to see; to another by
# REGISTRY_USER and REGISTRY_PASSWORD, if it wants them.
set -euo pipefail
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}
registry=${IMAGE%%/*} registry=${registry,,}
[[ $IMAGE == */* && $registry == *[.:]* ]] || fail "The variable IMAGE is $IMAGE: expected the host of the registry first, such as ghcr.io/corp/devbox."
if [[ $registry == ghcr.io ]]; then
  user=$GITHUB_ACTOR password=$TOKEN
else
  user=${REGISTRY_USER-} password=${REGISTRY_PASSWORD-}
  if [[ -z $user$password ]]; then
    echo "Not logged in to $registry: the secrets REGISTRY_USER and REGISTRY_PASSWORD are empty."
    exit 0
  fi
  [[ -n $user && -n $password ]] || fail 'One of the secrets REGISTRY_USER and REGISTRY_PASSWORD is empty.'
fi
printf %s "$password" | docker login "$registry" --username "$user" --password-stdin
