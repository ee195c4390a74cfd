#!/usr/bin/env bash
# Refuses a checkout whose commit, or the last change of the allow list in it, is not signed by one of DEVBOX_SIGNERS: lines
# `NAME namespaces="git" ssh-ed25519 AAAA...`, as git's gpg.ssh.allowedSignersFile has them. They come from the settings of the
# repository: a commit that named its own signers would prove nothing.
set -euo pipefail
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}
[[ -n ${DEVBOX_SIGNERS-} ]] || fail 'The variable DEVBOX_SIGNERS of the repository is empty: nobody may sign.'
signers=$(mktemp)
trap 'rm -f "$signers"' EXIT
printf '%s\n' "$DEVBOX_SIGNERS" >"$signers"

# Only ssh signatures: a key ring of this machine is not asked.
verify() {
  git -c gpg.ssh.allowedSignersFile="$signers" -c gpg.ssh.program=ssh-keygen -c gpg.program=false -c gpg.openpgp.program=false \
    -c gpg.x509.program=false verify-commit "$1" || fail "Commit $1 is not signed by one of DEVBOX_SIGNERS."
}

head=$(git rev-parse HEAD)
[[ $head == "${GITHUB_SHA:-$head}" ]] || fail "The checkout is at $head, the run is for $GITHUB_SHA."
verify "$head"
list=$(git log -1 --format=%H -- devbox/allowed.txt)
[[ -z $list || $list == "$head" ]] || verify "$list"
