#!/usr/bin/env bash
# The base of a release's image, by digest, in dev/base-image.txt.
#   dev/base-image.sh record   looks up which digest the tag of the Dockerfile has today, and writes it down
#   dev/base-image.sh check    refuses what names no digest, or one that the registry does not have under that name
# Asks by docker buildx.
set -eu
cd "$(dirname "$0")/.."
file=dev/base-image.txt

tag=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
case $tag in '' | *@*) echo "Dockerfile: NODE_IMAGE must be a name with a tag, found: $tag" >&2; exit 1 ;; esac

digest_of() { docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"; }
is_digest() { [[ $1 =~ ^sha256:[0-9a-f]{64}$ ]]; }

case ${1-} in
  record)
    digest=$(digest_of "$tag")
    is_digest "$digest" || { echo "$tag: this is no digest: $digest" >&2; exit 1; }
    printf '%s@%s\n' "$tag" "$digest" > "$file"
    cat "$file"
    ;;
  check)
    [ -f "$file" ] || { echo "$file is not there: nobody has recorded the digest of $tag yet. Run: dev/base-image.sh record" >&2; exit 1; }
    base=$(cat "$file")
    if [ "${base%@*}" != "$tag" ] || ! is_digest "${base#"$tag@"}"; then
      echo "$file names $base, expected $tag@sha256:... Run: dev/base-image.sh record" >&2
      exit 1
    fi
    [ "$(digest_of "$base")" = "${base#*@}" ] || { echo "The registry has no $base. Run: dev/base-image.sh record" >&2; exit 1; }
    echo "$base"
    ;;
  *)
    echo 'usage: dev/base-image.sh record | check' >&2
    exit 2
    ;;
esac
