#!/usr/bin/env bash
# Publishes a built image: size, SBOM, push, signature, and the check that it can be verified.
#   publish.sh BUILT IMAGE:TAG LIMIT PATH_OF_SBOM [BASE]
# It is pushed as TAG-candidate first, since docker pushes no bare digest, and gets its tag when it is signed: whoever pulls the tag
# has the old image or a signed one.
set -euo pipefail
built=$1 image=$2 limit=$3 path=$4 base=${5-}
# Not mktemp's: Git's shell on Windows has a /tmp that docker and cosign do not know.
work=$RUNNER_TEMP/publish
mkdir -p "$work"

sh images/check-size "$built" "$limit" ${base:+"$base"} | tee -a "$GITHUB_STEP_SUMMARY"
container=$(docker create "$built")
docker cp "$container:$path" "$work/image.cdx.json"
docker rm "$container" >/dev/null
docker tag "$built" "$image-candidate"
docker push "$image-candidate"
name=${image%:*}
digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{ end }}' "$image-candidate" | tr -d '\r' | grep -F "$name@" | head -n 1)
bash images/signature.sh sign "$image@${digest#*@}" "$work/image.cdx.json"
bash images/signature.sh verify "$image@${digest#*@}" >"$work/attested.json"
jq -e -n --slurpfile one "$work/image.cdx.json" --slurpfile other "$work/attested.json" '$one == $other' >/dev/null ||
  { echo 'The attested SBOM is not that of the image.' >&2 && exit 1; }
docker tag "$built" "$image"
docker push "$image"
# The tag is what was signed.
bash images/signature.sh verify "$image" >/dev/null
# shellcheck disable=SC2016 # Markdown
printf 'Published and signed: `%s`\n' "$digest" >>"$GITHUB_STEP_SUMMARY"
