import type { ErrorTable } from './error-table.ts';

/** The feed, its keys and tokens, the places of payloads, and the bucket. */
export const feedErrors = {
  FEED_UNREACHABLE: [
    4,
    'The feed {url} cannot be reached: {cause}.',
    'If the server is not running, start it (`pnpm start` or `pnpm serve`). If it has another address, set FEED_URL. If its certificate has expired, renew it; for a private CA set NODE_EXTRA_CA_CERTS.',
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
    'Create one on the server with `feed:keys add --name NAME --scope {needed}`, and set FEED_API_KEY or FEED_API_KEY_FILE. For a feed on this machine data/start.key is used (`pnpm start` makes it). A CI job needs no key: docs/operate/trusted-publishing.md.',
  ],
  FEED_TOKEN_MISSING: [
    1,
    'No OIDC token is available to exchange for a key: {cause}.',
    'In GitHub Actions the job needs `permissions: id-token: write`; in GitLab `id_tokens:` with FEED_ID_TOKEN. Or set FEED_API_KEY.',
  ],
  FEED_TOKEN_REFUSED: [
    1,
    'The feed {url} gives no key for the token of this job: {reason}.',
    'Correct the job, or on the server `feed:keys trust`; this run asks for tokens for {audience} (FEED_ID_TOKEN_AUDIENCE). docs/operate/trusted-publishing.md has more.',
  ],
  FEED_TOKEN_UNKNOWN: [
    1,
    'The feed {url} does not exchange tokens: it answers {status}.',
    'Only a go-win-tools server with trusted publishing does; for another feed set FEED_API_KEY.',
  ],
  FEED_TOKEN_ENDED: [
    1,
    'The key that the feed {url} gave for the token of this job has expired, and a token can be exchanged only once.',
    'Run it again in a new job, which has a new token; it continues where this run stopped. For longer runs use FEED_ID_TOKEN_FILE with a file that is refreshed, or FEED_API_KEY.',
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
} as const satisfies ErrorTable;
