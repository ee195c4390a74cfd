#!/usr/bin/env bash
# What the published images and the tools need, as Markdown in FILE: report.sh FILE IMAGE:TAG ...
# Works from the attested SBOMs: from what is really in the images. Exit 5: something has to be done, as devbox:check says it; also
# for an image whose signature cannot be verified. 1: the check itself failed.
set -euo pipefail
file=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sboms=() unsigned=()
for image in "$@"; do
  sbom=$work/${image##*:}.cdx.json
  if bash images/signature.sh verify "$image" >"$sbom"; then sboms+=(--sbom "$sbom"); else unsigned+=("$image"); fi
done
code=0
go-win-tools devbox:check . --markdown "${sboms[@]}" >"$file" || code=$?
if ((code != 0 && code != 5)); then
  echo "devbox:check ended with $code" >&2
  exit 1
fi
if ((${#unsigned[@]} > 0)); then
  code=5
  # shellcheck disable=SC2016 # Markdown
  printf '\nNot published, or not signed as it should be: `%s`\n' "${unsigned[@]}" >>"$file"
fi
exit "$code"
