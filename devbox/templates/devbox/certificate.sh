#!/usr/bin/env bash
# The certificate of this machine, whose key is made here and never leaves it.
#   certificate.sh request KIND:SHA-256   makes a key and says the request (CSR) for its certificate
#   certificate.sh install KIND:SHA-256   takes the certificate from stdin, checks it, and lets git and Chocolatey use it for FEED
# The files are in DEVBOX_HOME. Until a certificate is installed, the last one stays in use.
set -euo pipefail
umask 077
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}
verb=$1 fingerprint=$2
# It becomes lines of files, and a pattern of grep.
[[ $fingerprint =~ ^(tpm|machine|cards):[0-9a-f]{64}$ ]] || fail 'That is no fingerprint: expected tpm:, machine: or cards: and 64 hex digits.'
if [[ ${OS-} == Windows_NT && -n ${PROGRAMDATA-} ]]; then
  home=${DEVBOX_HOME:-$(cygpath -u "$PROGRAMDATA")/go-win-tools/devbox}
else
  home=${DEVBOX_HOME:-/var/lib/go-win-tools/devbox}
fi

# umask means nothing to Windows: administrators and the system alone, by their well-known ids.
make_private() {
  local folder
  mkdir -p "$1"
  folder=$(cygpath -w "$1")
  pwsh -NoProfile -ExecutionPolicy Bypass -File devbox/unclaimed.ps1 "$folder" >&2
  MSYS_NO_PATHCONV=1 icacls "$folder" /setowner '*S-1-5-32-544' >&2
  # Also what was granted or denied to others by name goes.
  MSYS_NO_PATHCONV=1 icacls "$folder" /reset >&2
  MSYS_NO_PATHCONV=1 icacls "$folder" /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' >&2
}

make_home() {
  if [[ ${OS-} != Windows_NT ]]; then
    mkdir -p "$home"
    return
  fi
  # The folder above a DEVBOX_HOME of one's own may have other uses.
  if [[ -z ${DEVBOX_HOME-} ]]; then make_private "$(dirname "$home")"; fi
  make_private "$home"
  # Now that nobody else gets in.
  pwsh -NoProfile -ExecutionPolicy Bypass -File devbox/unclaimed.ps1 "$(cygpath -w "$home")" -Contents >&2
}

# As programs of this machine write it.
native() { if [[ ${OS-} == Windows_NT ]]; then cygpath -m "$1"; else printf '%s\n' "$1"; fi; }

request() {
  make_home
  printf '[req]\nprompt = no\ndistinguished_name = subject\n[subject]\nCN = %s\n' "${fingerprint#*:}" >"$home/next.cnf"
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$(native "$home/next.key")"
  openssl req -new -sha256 -key "$(native "$home/next.key")" -config "$(native "$home/next.cnf")"
}

install() {
  local next
  next=$(native "$home/next.pem")
  [[ -f $home/next.key ]] || fail 'This machine has made no request: the certificate belongs to another.'
  cat >"$home/next.pem"
  openssl verify -CAfile devbox/ca.pem -purpose sslclient "$next" >&2 || fail 'The certificate is not from the authority devbox/ca.pem.'
  openssl x509 -in "$next" -noout -ext subjectAltName | tr -d ' \r' | grep -qxF "URI:urn:devbox:$fingerprint" ||
    fail "The certificate is for another machine than $fingerprint."
  [[ $(openssl x509 -in "$next" -noout -pubkey) == "$(openssl pkey -in "$(native "$home/next.key")" -pubout)" ]] ||
    fail 'The certificate is for another key than that of this machine.'
  mv -f "$home/next.key" "$home/machine.key"
  mv -f "$home/next.pem" "$home/machine.pem"
  for_git
  for_chocolatey
}

for_git() {
  local feed=${FEED:?}
  git config --system "http.$feed/.sslCert" "$(native "$home/machine.pem")"
  git config --system "http.$feed/.sslKey" "$(native "$home/machine.key")"
  # Schannel reads no such files.
  if [[ ${OS-} == Windows_NT ]]; then git config --system http.sslBackend openssl; fi
}

for_chocolatey() {
  command -v choco >/dev/null || return 0
  openssl pkcs12 -export -inkey "$(native "$home/machine.key")" -in "$(native "$home/machine.pem")" -passout pass: \
    -out "$(native "$home/machine.pfx")"
  choco source add --name=go-win-tools --source="$FEED/nuget" --cert="$(native "$home/machine.pfx")" >&2
}

case $verb in
  request | install) "$verb" ;;
  *) fail 'usage: certificate.sh request|install KIND:SHA-256' ;;
esac
