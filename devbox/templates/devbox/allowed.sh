#!/usr/bin/env bash
# Says the name that devbox/allowed.txt has for a fingerprint, and refuses one that it does not have, or that it has for another machine
# than NAME: allowed.sh KIND:SHA-256 NAME
# Lines: the fingerprint, a name, anything. `#` begins a comment.
set -euo pipefail
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}
list=devbox/allowed.txt
[[ $1 =~ ^(tpm|machine|cards):[0-9a-f]{64}$ ]] || fail 'That is no fingerprint: expected tpm:, machine: or cards: and 64 hex digits.'
[[ -f $list ]] || fail "$list is missing: a machine is allowed by a line '$1 NAME' in it, in a signed commit."
name=$(tr -d '\r' <"$list" | awk -v want="$1" '$1 == want && $2 ~ /^[A-Za-z0-9][A-Za-z0-9._-]*$/ { print $2; exit }')
[[ -n $name ]] || fail "$1 is not allowed: $list has no line '$1 NAME'. Somebody who knows this machine adds it, in a signed commit."
[[ $name == "$2" ]] || fail "$1 is the fingerprint of $name, and this run is for another machine. Start it with the name that $list has."
printf '%s\n' "$name"
