#!/usr/bin/env bash
# Signs the request on stdin with the authority devbox/ca.pem, whose key is DEVBOX_CA_KEY: sign.sh KIND:SHA-256
# The certificate is for clients, for 30 days, and for this fingerprint; the request gives nothing but its key.
set -euo pipefail
umask 077
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}
fingerprint=$1
[[ $fingerprint =~ ^(tpm|machine|cards):[0-9a-f]{64}$ ]] || fail 'That is no fingerprint: expected tpm:, machine: or cards: and 64 hex digits.'
[[ -n ${DEVBOX_CA_KEY-} ]] || fail 'The secret DEVBOX_CA_KEY of the environment devbox-authority is empty.'
[[ -f devbox/ca.pem ]] || fail 'devbox/ca.pem, the certificate of the authority, is missing.'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/csr.pem"
# Before version 3.2, openssl ends with 0 also for a signature that is wrong.
verified=$(openssl req -in "$work/csr.pem" -noout -verify 2>&1) || true
[[ $verified == *'verify OK'* ]] || fail 'The request is not signed by its own key.'
openssl req -in "$work/csr.pem" -noout -pubkey >"$work/public.pem"
openssl pkey -pubin -in "$work/public.pem" -noout -text | grep -qxF 'ASN1 OID: prime256v1' || fail 'The key of the request is not on P-256.'
cat >"$work/extensions" <<EXTENSIONS
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = URI:urn:devbox:$fingerprint
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
EXTENSIONS
openssl x509 -req -sha256 -days 30 -in "$work/csr.pem" -subj "/CN=${fingerprint#*:}" -set_serial "0x$(openssl rand -hex 16)" \
  -CA devbox/ca.pem -CAkey /dev/fd/3 -extfile "$work/extensions" -out "$work/certificate.pem" 3<<<"$DEVBOX_CA_KEY"
openssl verify -CAfile devbox/ca.pem -purpose sslclient "$work/certificate.pem" >&2
cat "$work/certificate.pem"
