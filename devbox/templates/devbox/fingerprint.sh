#!/usr/bin/env bash
# The fingerprint of this machine's hardware: KIND:SHA-256, on one line.
#   fingerprint.sh            as root
#   fingerprint.sh --facts    what it is made from: lines of fields between tabs
#   fingerprint.sh -          the fingerprint of such lines on stdin
#
# tpm      the endorsement key of its TPM 2.0
# machine  without one: the UUID of its SMBIOS and the addresses of its own network cards. Clones of a virtual machine may have
#          one UUID, and their cards differ
# cards    where the UUID is a placeholder of the maker: the addresses alone
#
# What is absent is left out; what is present and cannot be read ends this with 1, or the fingerprint would depend on who asks.
# fingerprint.ps1 makes the same fingerprint of the same facts.
set -euo pipefail
export LC_ALL=C

# Of makers that wrote none. One digit, repeated, is a placeholder, too.
placeholder_uuids=(
  03000200-0400-0500-0006-000700080009
  00020003-0004-0005-0006-000700080009
  12345678-1234-5678-90ab-cddeefaabbcc
  12345678-1234-1234-1234-123456789abc
  01234567-89ab-cdef-0123-456789abcdef
  00112233-4455-6677-8899-aabbccddeeff
  11111111-2222-3333-4444-555555555555
  fefefefe-fefe-fefe-fefe-fefefefefefe
)
placeholder_macs=(000000000001 00e04c000000 888888888788 123456789abc 001122334455 02004c4f4f50)
# Where a card is part of the machine. On USB it belongs to a docking station; on ROOT or SWD it is made of software.
own_buses=(pci virtio vmbus xen xenvif platform acpi sdio sd)

fail() {
  printf 'fingerprint.sh: %s\n' "$1" >&2
  exit 1
}

is_one_of() {
  local want=$1 one
  shift
  for one in "$@"; do [[ $one == "$want" ]] && return; done
  return 1
}

is_one_digit() { [[ -z ${1//"${1:0:1}"/} ]]; }

is_own_uuid() {
  [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]] && ! is_one_digit "${1//-/}" && ! is_one_of "$1" "${placeholder_uuids[@]}"
}

# MAC, bus and how the card can be removed. An odd first byte is a group's address.
is_own_card() {
  [[ $1 =~ ^[0-9a-f][02468ace][0-9a-f]{10}$ ]] && ! is_one_digit "$1" && ! is_one_of "$1" "${placeholder_macs[@]}" &&
    is_one_of "$2" "${own_buses[@]}" && ! is_one_of "$3" removable 3
}

# Facts on stdin. ek: SHA-256 of the key; uuid; card: address, bus (or Windows' PnP id), removable or its policy of Windows, name.
decide() {
  local kind first second third _ ek='' uuid='' mac macs=() seed=() dropped=$'[ \r{}]'
  while IFS=$'\t' read -r kind first second third _ || [[ -n $kind ]]; do
    first=${first//$dropped/} first=${first,,} second=${second%%\\*} third=${third//$'\r'/}
    case $kind in
      ek) ek=$first ;;
      uuid) uuid=$first ;;
      card)
        mac=${first//[:.-]/}
        if is_own_card "$mac" "${second,,}" "$third"; then macs+=("$mac"); fi
        ;;
    esac
  done
  if [[ $ek =~ ^[0-9a-f]{64}$ ]] && ! is_one_digit "$ek"; then
    seed=(tpm "$ek")
  elif ((${#macs[@]} == 0)); then
    fail 'no TPM 2.0, and no network card that is part of this machine: nothing tells it from others. --facts shows what was found.'
  else
    mapfile -t macs < <(printf '%s\n' "${macs[@]}" | sort -u)
    if is_own_uuid "$uuid"; then seed=(machine "$uuid" "${macs[@]}"); else seed=(cards "${macs[@]}"); fi
  fi
  printf '%s:%s\n' "${seed[0]}" "$(printf '%s\n' "${seed[@]}" | sha256sum | cut -d ' ' -f 1)"
}

read_ek() {
  local file work key
  for file in "$1"/class/tpm/tpm*/tpm_version_major; do
    [[ -e $file && $(<"$file") == 2 ]] || continue
    command -v tpm2_createek >/dev/null || fail 'this machine has a TPM 2.0; install tpm2-tools, which reads it.'
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # of this folder
    trap "rm -rf '$work'" EXIT
    tpm2_createek -Q -c "$work/ek.ctx" -G rsa -f pem -u "$work/ek.pem" >&2 ||
      fail 'the endorsement key of the TPM could not be read; run this as root.'
    key=$(openssl rsa -pubin -in "$work/ek.pem" -RSAPublicKey_out -outform DER 2>/dev/null | sha256sum)
    printf 'ek\t%s\n' "${key%% *}"
    return
  done
}

read_uuid() {
  local file=$1/class/dmi/id/product_uuid
  [[ -e $file ]] || return 0
  [[ -r $file ]] || fail "$file cannot be read; run this as root."
  printf 'uuid\t%s\n' "$(<"$file")"
}

# Without a device behind it a card is made of software: bridges, bonds, containers, VPNs.
read_cards() {
  local dir bus removable mac
  for dir in "$1"/class/net/*; do
    [[ -e $dir/device/subsystem ]] || continue
    bus=$(basename "$(readlink -f "$dir/device/subsystem")")
    removable=fixed
    if [[ -e $dir/device/removable ]]; then removable=$(<"$dir/device/removable"); fi
    # The address that the maker gave it, where a bond or privacy gave it another.
    mac=$(ip -o -d link show dev "${dir##*/}" 2>/dev/null | sed -n 's/.* permaddr \([0-9a-f:]*\).*/\1/p' || true)
    printf 'card\t%s\t%s\t%s\t%s\n' "${mac:-$(<"$dir/address")}" "$bus" "$removable" "${dir##*/}"
  done
}

read_facts() { read_ek "$1" && read_uuid "$1" && read_cards "$1"; }

main() {
  local facts sys=${DEVBOX_SYS:-/sys}
  case ${1---hardware} in
    --hardware)
      facts=$(read_facts "$sys")
      decide <<<"$facts"
      ;;
    --facts) read_facts "$sys" ;;
    -) decide ;;
    *)
      echo 'usage: fingerprint.sh [--facts | -]' >&2
      exit 2
      ;;
  esac
}

# Read in by a dot, it only defines its functions.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
