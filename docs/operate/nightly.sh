#!/bin/sh
# What a feed needs each night: the backup first, then the doctor and what is asked for. go-win-tools-nightly.timer runs it; so can any
# timer, as the server's user, with the settings of the server and:
#   BACKUP_DIR  takes feed-DATE.tgz, of which two weeks are kept, and monthly/ with the first of each month
#   PRUNE       which betas are deleted for good: "--betas 5 --older-than 90d"; unset: none
#   ANCHORS     the file of the audit log's anchors (audit.md), on another machine; the first one is made by hand
#   PROGRAM     dist/main.js of this program
# It does everything, whatever fails, and ends with the worst exit code.
set -u
program=${PROGRAM:-/opt/go-win-tools/dist/main.js}
backups=${BACKUP_DIR:?names the folder for backups}
worst=0

note() {
  [ "$1" -le "$worst" ] || worst=$1
}
feed() {
  node "$program" "$@"
  code=$?
  note "$code"
  return "$code"
}

# A copy that is cut off has not the name of a whole one.
keep_monthly() {
  mkdir -p "$backups/monthly" || return
  for copy in "$backups/monthly/feed-$(date +%Y-%m)"-*.tgz; do
    if [ -e "$copy" ]; then return; fi
  done
  cp "$1" "$backups/monthly/copying" && mv "$backups/monthly/copying" "$backups/monthly/${1##*/}"
}

file=$backups/feed-$(date +%F).tgz
if feed feed:backup --replace "$file"; then
  keep_monthly "$file"
  note $?
  find "$backups" -maxdepth 1 -name 'feed-*.tgz' -mtime +14 -delete
  note $?
fi
feed feed:doctor
feed feed:keys issuer refresh
# shellcheck disable=SC2086 # several words
if [ -n "${PRUNE:-}" ]; then feed feed:prune $PRUNE --yes; fi
# Nothing is added that would hide what does not fit.
if [ -n "${ANCHORS:-}" ] && feed feed:audit verify --anchors "$ANCHORS"; then
  feed feed:audit anchor --to "$ANCHORS"
fi
exit "$worst"
