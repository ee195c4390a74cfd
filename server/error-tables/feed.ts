import type { ErrorTable } from './table.ts';

/** Addresses, queries, packages and payloads. */
export const feedErrors = {
  ID_RESERVED: [
    403,
    'The id {id} is reserved ({reserved}): expected a key that is limited to reserved ids. Use such a key (feed:keys add --id), or another id (rule reserved-ids).',
  ],
  ORIGIN_FOREIGN: [
    403,
    'The request comes from a page of another site ({origin}), which must not change anything here. Set PUBLIC_URL if that is the address of this server.',
  ],
  UPLOADS_TOO_MANY: [
    429,
    'The limit of {limit} concurrent uploads {what} is reached; retry when one of them has finished.',
  ],
  QUERY_INVALID: [400, 'The query is invalid: {problem}'],
  QUERY_TOO_COSTLY: [400, 'The query is too expensive: {problem}. Ask for less at once.'],
  QUERY_TOO_SLOW: [
    503,
    'The query was stopped after {ms} ms; narrow it, for example by `Id eq` or `IsLatestVersion`.',
  ],
  QUERY_BUSY: [503, 'Too many long queries at once; try again in a moment.'],
  PATH_INVALID: [400, 'The address is invalid: {problem}'],
  ROUTE_UNKNOWN: [
    404,
    'Nothing is served at {path}. The feed is at /nuget (NuGet v3: /v3/index.json), the bucket at /git/main/go-win-tools.git.',
  ],
  METHOD_NOT_ALLOWED: [405, '{method} is not allowed here; allowed: {allowed}.'],
  PACKAGE_NOT_FOUND: [
    404,
    'This feed has no package {id} {version}. Check the id and the version; the pages of the server list both.',
  ],
  VERSION_PURGED: [
    410,
    '{id} {version} was deleted for good (feed:purge): its bytes are gone, and its number is never used again. Use, or publish, another version.',
  ],
  PURGE_OFFERED: [
    409,
    'The branch {channel} still offers {id} {version}, and Scoop would fail on it. Remove it there first (release:withdraw {id}@{version}), or purge it anyway with --force.',
  ],
  PURGE_ROLLOUT: [
    409,
    '{id} {version} belongs to an open rollout, whose clients need it. Take it back first (release:rollout rollback, or reject while it is pending), then purge it.',
  ],
  PACKAGE_EXISTS: [
    409,
    "A package with ID '{id}' and version '{version}' already exists and cannot be modified.",
  ],
  PACKAGE_INVALID: [400, 'The upload is not a package that can be published: {problem}'],
  PACKAGE_TOO_LARGE: [413, 'The upload is larger than the {maxBytes} bytes that MAX_PACKAGE_BYTES allows.'],
  UPLOAD_BROKEN: [
    400,
    'The upload ended early or is not valid multipart data; nothing was stored. Send it again.',
  ],
  BLOB_STORE_UNREACHABLE: [
    503,
    'The object store failed ({cause}); nothing was changed. Try again in a moment.',
  ],
  BLOB_BEING_REMOVED: [
    503,
    'The same bytes are being removed for good at this moment (feed:purge); nothing was stored. Send them again in a moment.',
  ],
  UPLOAD_COLLECTED: [
    503,
    'The upload took so long that its bytes were removed as abandoned; nothing was stored. Send it again.',
  ],
  OBJECT_DAMAGED: [
    500,
    'The object store has other bytes than were stored here (SHA-256 {sha256}). Run feed:verify, and restore them from a backup.',
  ],
  STORAGE_FULL: [
    507,
    'The server has no space left on its disk; nothing was stored. Free some space and send it again.',
  ],
  SYMBOLS_UNSUPPORTED: [404, 'This server does not accept symbol packages; push only the package.'],
  PAYLOAD_NOT_FOUND: [
    404,
    'There is no payload {tool}/{version}/{file} on this server. Check the address against the manifest.',
  ],
  PAYLOAD_DIFFERS: [
    409,
    'Payload {tool}/{version}/{file} already exists with different content (SHA-256 {sha256}); payloads are never replaced. Publish another version.',
  ],
  PAYLOAD_INVALID: [400, 'This payload cannot be stored: {problem}'],
  TRACING_OFF: [
    404,
    'Tracing is off on this server. Set OTEL_EXPORTER_OTLP_ENDPOINT to the address of an OpenTelemetry collector, and restart it.',
  ],
  TRACE_UNKNOWN: [
    404,
    'This server does not know this trace. It remembers the last hundred traces of requests with a sampled traceparent and a publishing key. Ask the replica that answered the request.',
  ],
  BODY_TOO_LARGE: [
    413,
    'The request body is too large for this address: at most {limit} are accepted; nothing was done.',
  ],
  HEADER_INVALID: [400, 'The header {name} is invalid: expected {expected}, found {found}.'],
  BODY_INVALID: [400, 'The request body is invalid: {problem}'],
} as const satisfies ErrorTable;
