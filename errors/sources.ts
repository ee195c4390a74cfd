import type { ErrorTable } from './error-table.ts';

/** Upstream, what proves its files, and what brings them here: builds, bundles, known vulnerabilities. */
export const sourceErrors = {
  VERSION_UNKNOWN: [
    1,
    '{tool} has no version {version} upstream ({looked}).',
    '`release:status {tool}` shows the newest version.',
  ],
  VERSION_NONE: [
    1,
    '{tool} has no upstream version that can be released ({looked}).',
    'Widen `versions:` or `minAge:` in the tool file, or name a version: {tool}@VERSION.',
  ],
  VERSION_NOT_TAKEN: [
    1,
    '{tool} {version} cannot be released: {reason}.',
    '`release:status {tool}` shows what a run would do.',
  ],
  SOURCE_UNREACHABLE: [4, '{tool} {version}: source {kind} cannot be reached: {cause}.', '{hint}'],
  TOOLCHAIN_MISSING: [
    4,
    '{tool} {version}: the go-module source needs Go >= 1.21 and there is no `go` on this machine.',
    'Install Go, or use another source.',
  ],
  TOOLCHAIN_UNAVAILABLE: [
    4,
    '{tool} {version}: the Go toolchain {toolchain} cannot be downloaded: {cause}.',
    'Check GOPROXY and GOSUMDB, name another Go version in `toolchains:` of the tool file, name an older version ({tool}@VERSION), or use another source.',
  ],
  BUILD_FAILED: [
    1,
    '{tool} {version}: the Go build for {architecture} failed: {cause}',
    'The build log is above; a `toolchains:` entry in the tool file can choose another Go version.',
  ],
  REFUSED: [
    3,
    '{tool} {version}: {file} is refused: expected {expected}, found {found}.',
    'Nothing was published. Ask upstream about this file before you try again.',
  ],
  VULNERABLE: [3, '{tool} {version} is refused by {policy}: {findings}.', 'Nothing was published. {hint}'],
  VULN_DB_UNREACHABLE: [
    4,
    'The vulnerability database {url} cannot be reached: {cause}.',
    'Check VULN_DB, or try again later. If VULN_DB is not set, there is no scan.',
  ],
  VULN_DB_INVALID: [
    1,
    'The vulnerability database {url} has an unexpected format: {problem}.',
    'VULN_DB must have the layout of https://vuln.go.dev: index/modules.json, ID/GO-....json.',
  ],
  BUNDLE_REFUSED: [
    3,
    'The bundle {file} is refused: expected {expected}, found {found}.',
    'Nothing was published. Copy it again from the machine that made it; if that does not help, ask whoever made it.',
  ],
  BUNDLE_UNREADABLE: [
    2,
    'The bundle {file} cannot be read: {cause}.',
    'Name a file that `bundle:create` made.',
  ],
  BUNDLE_LACKS: [
    1,
    'The bundle has no {tool}; it has {bundled}.',
    'Name one of these, name no tool for all of them, or make a bundle with {tool}.',
  ],
  BUNDLE_KEY_MISSING: [
    2,
    'BUNDLE_KEY is not set, so no bundle is trusted.',
    'Set it to the public key that `bundle:create` printed on the machine that made the bundle.',
  ],
} as const satisfies ErrorTable;
