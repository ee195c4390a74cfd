#!/usr/bin/env bash
# Stands in for docker, cosign, gh, npm and go-win-tools, by the name that it is called by. $FIXTURE is the fixture: what is published,
# signed and attested, and what the others answer. Each call is a line of calls.txt.
set -euo pipefail
program=${0##*/}
printf '%s %s\n' "$program" "$*" >>"$FIXTURE/calls.txt"
# What a signature says besides: -a KEY=VALUE
annotation() { while [[ $1 != -a ]]; do shift; done && printf '%s\n' "$2"; }
# What a tag, or a digest, of the registry is.
digest() {
  if [[ $1 == *@* ]]; then printf '%s\n' "${1##*@}"; else cat "$FIXTURE/registry/$(tr / _ <<<"$1")"; fi
}

case "$program $1" in
  'docker build')
    image=linux
    if [[ $* == *windows/Dockerfile* ]]; then image=windows; fi
    [[ ! -f $FIXTURE/no-build-of-$image ]] || exit 1
    printf '%s\n' "$image" >"$FIXTURE/built"
    printf '%s\n' "$image $RANDOM $RANDOM" >"$FIXTURE/built-image"
    ;;
  'docker login')
    password=$(cat)
    if [[ $2 == ghcr.io ]]; then [[ $password == token-of-the-run ]]; else [[ $password == secret-of-registry ]]; fi
    ;;
  'docker image')
    case "$*" in
      *.Size*built*) cat "$FIXTURE/size" ;;
      *.Size*) echo 5000000000 ;;
      *RepoDigests*) printf 'registry.example/other@sha256:%064d\n%s@%s\n' 0 "${!#%:*}" "$(digest "${!#}")" ;;
    esac
    ;;
  'docker create') echo container1 ;;
  'docker cp')
    [[ $2 == container1:* ]]
    printf '{"bomFormat":"CycloneDX","serialNumber":"%s","path":"%s"}\n' "$(<"$FIXTURE/built")" "${2#*:}" | sed 's/\\/\\\\/g' >"$3"
    ;;
  'docker push')
    mkdir -p "$FIXTURE/registry"
    printf 'sha256:%s\n' "$(sha256sum <"$FIXTURE/built-image" | cut -d ' ' -f 1)" >"$FIXTURE/registry/$(tr / _ <<<"$2")"
    ;;
  'docker rm' | 'docker tag' | 'npm install') ;;
  'cosign sign') annotation "$@" >>"$FIXTURE/signed-$(digest "${!#}")" ;;
  'cosign triangulate') printf '%s:%s.sig\n' "${2%:*}" "$(digest "$2" | tr : -)" ;;
  'cosign attest')
    while [[ $1 != --predicate ]]; do shift; done
    # --replace
    cp "$2" "$FIXTURE/attested-$(digest "${!#}")"
    ;;
  'cosign verify') grep -qxF "$(annotation "$@")" "$FIXTURE/signed-$(digest "${!#}")" ;;
  'cosign verify-attestation')
    payload=$(jq '{predicateType: "https://cyclonedx.org/bom", predicate: .}' "$FIXTURE/attested-$(digest "${!#}")" | base64 -w 0)
    line=$(printf '{"payloadType":"application/vnd.in-toto+json","payload":"%s","signatures":[{}]}' "$payload")
    printf '%s\n' "$line"
    if [[ -f $FIXTURE/attested-twice ]]; then printf '%s\n' "$line"; fi
    ;;
  'go-win-tools devbox:check')
    echo '# What needs attention'
    if [[ -f $FIXTURE/long ]]; then cat "$FIXTURE/long"; fi
    for file in "$@"; do [[ $file != *.cdx.json ]] || jq -r '"- SBOM of \(.serialNumber)"' "$file"; done
    code=$(head -n 1 "$FIXTURE/checks")
    sed -i 1d "$FIXTURE/checks"
    exit "$code"
    ;;
  'gh issue')
    case $2 in
      list) cat "$FIXTURE/issue" 2>/dev/null || true ;;
      create) echo 7 >"$FIXTURE/issue" && cp "${!#}" "$FIXTURE/issue.md" ;;
      edit) cp "${!#}" "$FIXTURE/issue.md" ;;
      close) rm "$FIXTURE/issue" ;;
    esac
    ;;
  'gh label') ;;
  *)
    echo "the test has no $program $1" >&2
    exit 99
    ;;
esac
