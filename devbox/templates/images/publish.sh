#!/usr/bin/env bash
# Publishes a built image: size, SBOM, push, signature, and the check that it can be verified.
#   publish.sh BUILT IMAGE:TAG LIMIT PATH_OF_SBOM [BASE]
# What is published but not signed is no image: nothing verifies it, and the next report is red.
set -euo pipefail
built=$1 image=$2 limit=$3 path=$4 base=${5-}
# Not mktemp's: Git's shell on Windows has a /tmp that docker and cosign do not know.
work=$RUNNER_TEMP/publish
mkdir -p "$work"

sh images/check-size "$built" "$limit" ${base:+"$base"} | tee -a "$GITHUB_STEP_SUMMARY"
container=$(docker create "$built")
docker cp "$container:$path" "$work/image.cdx.json"
docker rm "$container" >/dev/null
docker tag "$built" "$image"
docker push "$image"
name=${image%:*}
digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{ end }}' "$image" | tr -d '\r' | grep -F "$name@" | head -n 1)
bash images/signature.sh sign "$digest" "$work/image.cdx.json"
bash images/signature.sh verify "$digest" >"$work/attested.json"
jq -e -n --slurpfile one "$work/image.cdx.json" --slurpfile other "$work/attested.json" '$one == $other' >/dev/null ||
  { echo 'The attested SBOM is not that of the image.' >&2 && exit 1; }
# shellcheck disable=SC2016 # Markdown
printf 'Published and signed: `%s`\n' "$digest" >>"$GITHUB_STEP_SUMMARY"
