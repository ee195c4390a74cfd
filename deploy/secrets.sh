#!/bin/sh
# Makes the secrets of compose.yaml in the folder `secrets` beside it; one that exists stays as it is.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
# The files can be read by the users inside the containers, the folder by its owner alone.
keep() {
  [ -s "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"
  chmod 644 "secrets/$1"
}
keep admin-key "$(random)"
keep postgres-password "$(random)"
keep database-url "postgres://feed:$(random)@postgres/feed"
keep s3-credentials "[default]
aws_access_key_id = feed
aws_secret_access_key = $(random)"
