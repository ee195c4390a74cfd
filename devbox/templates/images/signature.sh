#!/usr/bin/env bash
# Signs an image and says who signed one. With the secret COSIGN_PRIVATE_KEY (and COSIGN_PASSWORD) and images/cosign.pub by that key,
# which needs no other service; else keyless: by the identity of this workflow, with a public entry in the log of Sigstore.
#   signature.sh sign IMAGE:TAG@DIGEST SBOM   the image, for this tag, and its SBOM as an attestation
#   signature.sh verify IMAGE:TAG[@DIGEST]    refuses an image that is not signed for this tag; the attested SBOM to stdout
set -euo pipefail
verb=$1 image=$2
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}
[[ $image =~ ^([^@]+):([A-Za-z0-9_][A-Za-z0-9_.-]*)(@sha256:[0-9a-f]{64})?$ ]] || fail "expected IMAGE:TAG or IMAGE:TAG@sha256:..., found $image"
name=${BASH_REMATCH[1]} tag=${BASH_REMATCH[2]} digest=${BASH_REMATCH[3]}

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
    [[ -n $digest ]] || fail "expected IMAGE:TAG@sha256:..., found $image: a tag could be another image by now"
    if [[ -f images/cosign.pub && -z ${COSIGN_PRIVATE_KEY-} ]]; then fail 'images/cosign.pub wants the secret COSIGN_PRIVATE_KEY.'; fi
    if [[ ! -f images/cosign.pub && -n ${COSIGN_PRIVATE_KEY-} ]]; then fail 'The secret COSIGN_PRIVATE_KEY wants images/cosign.pub.'; fi
    cosign sign --yes -a "tag=$tag" "${sign_by[@]}" "$name$digest" >&2
    cosign attest --yes --replace --type cyclonedx --predicate "$3" "${sign_by[@]}" "$name$digest" >&2
    ;;
  verify)
    # Asked once: the tag may be another image a moment later. IMAGE:sha256-DIGEST.sig is where the signatures are.
    if [[ -z $digest ]]; then
      digest=$(cosign triangulate "$image" | sed -nE 's/.*:sha256-([0-9a-f]{64})\.sig\r?$/@sha256:\1/p') || digest=''
      [[ $digest == @sha256:* ]] || fail "The registry did not say which image $image is."
    fi
    # Without the tag, an image that is signed as :linux would do for :windows.
    cosign verify -a "tag=$tag" "${trust[@]}" "$name$digest" >/dev/null || fail "$image is not signed as it should be, for the tag $tag."
    # An attestation a line; each was verified.
    attested=$(cosign verify-attestation --type cyclonedx "${trust[@]}" "$name$digest") || fail "The SBOM of $image is not attested as it should be."
    jq -es 'if length == 1 then .[0].payload | @base64d | fromjson | .predicate else empty end' <<<"$attested" ||
      fail "$image has several attested SBOMs: expected one."
    ;;
  *) fail 'usage: signature.sh sign IMAGE:TAG@DIGEST SBOM | verify IMAGE:TAG[@DIGEST]' ;;
esac
