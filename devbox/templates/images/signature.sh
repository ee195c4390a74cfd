#!/usr/bin/env bash
# Signs an image and says who signed one. With the secret COSIGN_PRIVATE_KEY (and COSIGN_PASSWORD) and images/cosign.pub by that key,
# which needs no other service; else keyless: by the identity of this workflow, with a public entry in the log of Sigstore.
#   signature.sh sign IMAGE@DIGEST SBOM   the image, and its SBOM as an attestation
#   signature.sh verify IMAGE             refuses an image that is not signed; the attested SBOM to stdout
set -euo pipefail
verb=$1 image=$2
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

if [[ -f images/cosign.pub ]]; then
  sign_by=(--key env://COSIGN_PRIVATE_KEY --tlog-upload=false)
  trust=(--key images/cosign.pub --insecure-ignore-tlog=true)
else
  # GITHUB_WORKFLOW_REF: OWNER/REPOSITORY/.github/workflows/image.yml@refs/heads/main
  sign_by=()
  trust=(
    --certificate-identity "${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_WORKFLOW_REF:?}"
    --certificate-oidc-issuer "${COSIGN_ISSUER:-https://token.actions.githubusercontent.com}"
  )
fi

case $verb in
  sign)
    [[ $image == *@sha256:* ]] || fail "expected IMAGE@sha256:..., found $image: a tag could be another image by now"
    if [[ -f images/cosign.pub && -z ${COSIGN_PRIVATE_KEY-} ]]; then fail 'images/cosign.pub wants the secret COSIGN_PRIVATE_KEY.'; fi
    if [[ ! -f images/cosign.pub && -n ${COSIGN_PRIVATE_KEY-} ]]; then fail 'The secret COSIGN_PRIVATE_KEY wants images/cosign.pub.'; fi
    cosign sign --yes "${sign_by[@]}" "$image" >&2
    cosign attest --yes --replace --type cyclonedx --predicate "$3" "${sign_by[@]}" "$image" >&2
    ;;
  verify)
    cosign verify "${trust[@]}" "$image" >/dev/null || fail "$image is not signed as it should be."
    # An attestation a line; each was verified.
    attested=$(cosign verify-attestation --type cyclonedx "${trust[@]}" "$image") || fail "The SBOM of $image is not attested as it should be."
    jq -s 'last | .payload | @base64d | fromjson | .predicate' <<<"$attested"
    ;;
  *) fail 'usage: signature.sh sign IMAGE@DIGEST SBOM | verify IMAGE' ;;
esac
