import { type Details, type FactsOf, fill } from '../formats/fill.ts';
import { forTerminal } from '../formats/for-terminal.ts';

/**
 * Every way a release can fail: code -> [exit code, sentence, what to do next]. Exit codes: interface.md section 1. `{name}` is
 * filled from the details; details never contain a secret.
 */
const errors = {
  SETTINGS_INVALID: [2, '{problems}', 'Correct the settings named above; --help lists them all.'],
  USAGE: [2, '{problem}', 'See --help.'],
  POLICY_INVALID: [2, '{file} cannot be used as a policy: {problems}.', 'Correct it; nothing was written.'],
  SIGN_FAILED: [
    1,
    'The launcher could not be signed: {program} ended with exit code {exitCode}.',
    'Run SIGN_COMMAND by hand on an exe to see why; nothing was written.',
  ],
  OUT_UNUSABLE: [
    2,
    '--out {dir} cannot be used: {cause}.',
    'Name a folder that can be created and written to; for a bundle, a file.',
  ],
  TOOL_UNKNOWN: [1, 'There is no tool {tool}. The tools are {known}.', '{hint}'],
  TOOL_MADE_HERE: [1, '{tool} has no upstream: {what}.', '{hint}'],
  TOOL_FILE_INVALID: [
    2,
    '{file} is not a valid tool file: {problems}',
    'Correct it; docs/tools/reference.md has every field.',
  ],
  TOOL_FILES_INVALID: [2, '{sentences}', 'Correct them; docs/tools/reference.md has every field.'],
  VERSION_UNKNOWN: [
    1,
    '{tool} has no version {version} upstream ({looked}).',
    '`release:status {tool}` shows the newest version.',
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
  NOTHING_PUBLISHED_HERE: [1, '{tool}: {problem}.', '{hint}'],
  TOOLCHAIN_UNAVAILABLE: [
    4,
    '{tool} {version}: the Go toolchain {toolchain} cannot be downloaded: {cause}.',
    'Check GOPROXY and GOSUMDB, name another Go version in `toolchains:` of the tool file, name an older version ({tool}@VERSION), or use another source.',
  ],
  PROMOTION_REFUSED: [
    1,
    '{tool} {version} cannot become stable: {reason}.',
    '`release:status {tool}` shows what is published; `release:beta {tool}` makes another beta if something changed.',
  ],
  PROMOTION_TOO_YOUNG: [
    1,
    '{tool} {version} cannot become stable yet: expected its beta {beta} to be at least {expected} old, found {found}.',
    '{wait}, or promote it now and say why: --now --reason TEXT.',
  ],
  PROMOTION_UNPROVEN: [
    3,
    '{tool} {version} cannot become stable: {what} of {subject} in {beta} is wrong: expected {expected}, found {found}.',
    '{hint}',
  ],
  PROMOTION_NOT_REPEATED: [
    4,
    '{tool} {version} cannot become stable: {count} of {beta} could not be repeated, first {what} of {subject}: {cause}',
    'Nothing was published, and nothing is known to be wrong. Run it again when the source can be reached, or use a bundle that has it: --from BUNDLE. --skip-verify --reason TEXT promotes without it, and is audited.',
  ],
  PLAN_INVALID: [
    2,
    '{file} is not a valid plan of a rollout: {problems}.',
    'Correct it; docs/release/rollouts.md has every field.',
  ],
  DEVBOX_INVALID: [
    2,
    '{file} is not valid: {problems}.',
    'Correct it; docs/devbox/README.md has every field.',
  ],
  DEVBOX_DIR: [2, '{dir} cannot be used: {cause}.', 'Name a folder that can be created and written to.'],
  DEVBOX_UNKNOWN: [1, 'Branch main of the bucket has no {what}.', '{hint}'],
  DEVBOX_UNSUITED: [1, '{tool} {version} cannot be part of an image: {reason}.', '{hint}'],
  DEVBOX_MISSING: [
    1,
    '{dir} is not a repository of devbox:create: expected {file} in it.',
    '`devbox:create {dir}` writes one; to check another folder, name it.',
  ],
  DEVBOX_SBOM: [2, '{file} cannot be used as an SBOM: {problem}.', 'Name a CycloneDX file in JSON.'],
  DEVBOX_FEED: [
    1,
    '{feed} is not a go-win-tools server with a plain PUBLIC_URL, which a DevBox repository needs: found {found}.',
    'Set FEED_URL to the feed of one, such as http://127.0.0.1:8080/nuget.',
  ],
  DEVBOX_CHANGED: [
    1,
    'Left alone in {dir}, since they are not as devbox:create wrote them: {files}.',
    'Compare them with what a run in an empty folder writes; `--force` replaces them, but no links.',
  ],
  ROLLOUT_UNSUITED: [2, '{what} is not possible here: {reason}.', '{hint}'],
  ROLLOUT_PLAN: [
    2,
    '{tool} {version} cannot be rolled out by this plan: {reason}.',
    'Correct the plan, and run it again. docs/release/rollouts.md has every field.',
  ],
  ROLLOUT_REFUSED: [1, '{reason}.', '{hint}'],
  ROLLOUT_OPEN: [2, '{tool} {version} is being rolled out, and the rollout is {state}.', '{hint}'],
  ROLLOUT_MISSING: [1, '{tool} has {found}: {what} is not possible.', '{hint}'],
  WITHDRAWAL_REFUSED: [1, '{tool} {version} cannot be withdrawn: {reason}.', '{hint}'],
  NOTHING_GOOD: [
    1,
    '{tool} {version} {is}, but Scoop still offers it: expected an older good version, found none on the feed.',
    'Run it again with --to OLDER, a good older version of upstream, to publish its bytes as the correction. Or release and promote a newer version.{recovery}',
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
  OTHER_BYTES: [
    3,
    '{tool} {version}: {file} is refused: expected {expected}, found {found}.',
    'This is not what was released. Compare with a backup, and restore the right file before you publish anything else.',
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
  EVIDENCE_BROKEN: [
    3,
    '{tool} {version}: {what} of {subject} is wrong: expected {expected}, found {found}.',
    'Do not install it. Compare with a backup, and withdraw the version if clients get wrong bytes.',
  ],
  NOT_REPEATED: [
    4,
    '{tool} {version}: {count} could not be repeated, first {what} of {subject}: {cause}',
    'Nothing is known to be wrong. Run it again when the source can be reached.',
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
    'The bundle has no {tool}; it has {carried}.',
    'Name one of these, name no tool for all of them, or make a bundle with {tool}.',
  ],
  BUNDLE_KEY_MISSING: [
    2,
    'BUNDLE_KEY is not set, so no bundle is trusted.',
    'Set it to the public key that `bundle:create` printed on the machine that made the bundle.',
  ],
  FEED_UNREACHABLE: [
    4,
    'The feed {url} cannot be reached: {cause}.',
    'Start it with `pnpm start` or `pnpm serve`; if it has another address or port, set FEED_URL.',
  ],
  PLACE_UNREACHABLE: [4, '{url} cannot be reached: {cause}.', 'Check PAYLOAD_URL, and try again.'],
  PAYLOAD_MISSING: [
    1,
    '{tool} {version}: {url} does not exist ({status}), so a manifest with this address could not be installed.',
    'Upload {file} (SHA-256 {sha256}; a run with --dry-run --out DIR keeps it in DIR/payloads), then run again.',
  ],
  PLACE_READ_ONLY: [
    2,
    '{url} does not accept uploads ({status} to a PUT).',
    'Set PAYLOAD_PUT=false and upload the files yourself: a run with --dry-run --out DIR keeps them in DIR/payloads.',
  ],
  FEED_REFUSED: [1, 'The feed answered {status} to {what}: {reason}.', '{hint}'],
  FEED_KEY_MISSING: [
    2,
    'There is no key for the feed {url}.',
    'Make one on the server with `feed:keys add --name NAME --scope {needed}`, and set FEED_API_KEY or FEED_API_KEY_FILE. For a feed on this machine data/start.key is used (`pnpm start` makes it). A CI job needs no key: docs/operate/trusted-publishing.md.',
  ],
  FEED_TOKEN_MISSING: [
    1,
    'There is no token to exchange for a key of the feed: {cause}.',
    'In GitHub Actions the job needs `permissions: id-token: write`; in GitLab `id_tokens:` with FEED_ID_TOKEN. Or set FEED_API_KEY.',
  ],
  FEED_TOKEN_REFUSED: [
    1,
    'The feed {url} gives no key for the token of this job: {reason}.',
    'Correct the job, or on the server `feed:keys trust`; this run asks for tokens for {audience} (FEED_ID_TOKEN_AUDIENCE). docs/operate/trusted-publishing.md tells more.',
  ],
  FEED_TOKEN_UNKNOWN: [
    1,
    'The feed {url} exchanges no tokens: it answers {status}.',
    'Only a go-win-tools server with trusted publishing does; for another feed set FEED_API_KEY.',
  ],
  FEED_TOKEN_ENDED: [
    1,
    'The key that the feed {url} gave for the token of this job has ended, and a token can be exchanged once.',
    'Run it again in a new job, which has a new token; it goes on from there. A longer run needs a file that gets new tokens (FEED_ID_TOKEN_FILE), or FEED_API_KEY.',
  ],
  FEED_KEY_SCOPE: [
    1,
    'The key {key} does not have the scope {expected} for {id}; it has: {found}.',
    'Nothing was published. Set another key in FEED_API_KEY; `feed:keys add --name NAME --scope {needed}` makes one.',
  ],
  FEED_KEY_IDS: [
    1,
    'The key {key} is limited to {ids}, which does not include {id}; this needs a key for {expected}.',
    'Nothing was published. Set another key in FEED_API_KEY; `feed:keys add --name NAME --scope {needed} {options}` makes one.',
  ],
  FEED_CONFLICT: [
    1,
    'The feed already has {what} with other bytes: expected {expected}, found {found}.',
    'A published version is never replaced; release a new one.',
  ],
  BUCKET_UNREACHABLE: [
    4,
    'The bucket {url} cannot be reached: {cause}.',
    'Check BUCKET_URL and that the server is running.',
  ],
  BUCKET_CLOSED: [
    1,
    'The bucket {url} refuses read access: {cause}.',
    'For a go-win-tools server, set a key with the scope read in FEED_API_KEY (`feed:keys add --name NAME --scope read` makes one); for another host, give git credentials for it.',
  ],
  BUCKET_REFUSED: [
    1,
    'The bucket refused the push: {cause}.',
    'No branch moved. The feed may already have the package; run it again to go on from there.',
  ],
  CONTENT_INVALID: [
    1,
    '{tool}: the content of the feed or of a template is not understood: {problem}',
    'Check the file that the message names.',
  ],
  MACHINE_FAILED: [
    1,
    '{tool}: a local operation failed: {cause}.',
    'Check that there is free space, and that CACHE_DIR and the folder for temporary files are writable.',
  ],
  CACHE_FOREIGN: [
    2,
    'CACHE_DIR {dir} cannot be emptied: expected a folder with nothing but the cache in it, found {found}.',
    'Nothing was removed. Correct CACHE_DIR, or remove by hand what is not needed.',
  ],
  CACHE_IN_USE: [
    1,
    'The cache {dir} is in use by process {pid}.',
    'Nothing was removed. Run it again when that process has ended.',
  ],
  CACHE_NOT_CLEANED: [
    1,
    'Not all of the cache could be removed: {path}: {cause} ({count} in all).',
    'The rest was removed. Close the programs that use it, and run it again.',
  ],
  PROGRAM_MISSING: [1, 'The program {program} is needed and was not found.', 'Install it and try again.'],
  PROGRAM_FAILED: [1, '{program} ended with code {exitCode}: {cause}', "See the program's message."],
  REBASE_REFUSED: [
    1,
    'The manifests were not moved to {to}: {reason}.',
    'Nothing was pushed; see "Another base address" in docs/operate/moving.md.',
  ],
  INTERRUPTED: [130, 'Interrupted: {state}.', 'Run the same command again; it goes on where it stopped.'],
} as const satisfies Record<string, readonly [number, string, string]>;

export type ReleaseErrorCode = keyof typeof errors;

/** The one error of the generator. `message` is the sentence, `hint` what to do next, `exitCode` how the program ends. */
export class ReleaseError extends Error {
  readonly code: ReleaseErrorCode;
  readonly exitCode: number;
  readonly hint: string;
  readonly details: Details;

  constructor(code: ReleaseErrorCode, details: Details = {}, cause?: unknown) {
    const [exitCode, sentence, hint] = errors[code];
    super(forTerminal(fill(sentence, details)), cause === undefined ? undefined : { cause });
    this.name = 'ReleaseError';
    this.code = code;
    this.exitCode = exitCode;
    this.hint = forTerminal(fill(hint, details));
    this.details = details;
  }
}

/** Throws the error `code`; reads as a statement where it is called. */
export function fail<Code extends ReleaseErrorCode>(
  code: Code,
  details: FactsOf<(typeof errors)[Code][1 | 2]>,
  cause?: unknown,
): never {
  throw new ReleaseError(code, details, cause);
}
