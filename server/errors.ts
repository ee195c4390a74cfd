import { type Details, fill } from '../formats/fill.ts';

/** To the holder of the secret only. As a password of Basic the answer is 401, so that git and nuget ask for another one. */
const expired =
  'The specified API key ({name}) expired at {at}. Ask the administrator of this feed (feed:keys rotate --expires).';
const revoked =
  'The specified API key ({name}) was revoked at {at}. Ask the administrator of this feed for another one.';
const rotated = 'The specified API key ({name}) was replaced at {at} and works no more: use the new one.';

/**
 * Every error the server can answer with: code -> [HTTP status, sentence]. `{name}` is filled from the details.
 * A sentence says what was expected, what was found and what to do next; it is sent as the reason phrase too
 * (spec nuget-v2 10.3: clients show nothing else), so it is one line without secrets.
 */
const errors = {
  BAD_CONFIG: [500, '{problems}'],
  DATA_DIR_IN_USE: [
    500,
    'The data folder {dir} is in use by another server (process {pid}). Stop that one, or set DATA_DIR to another folder.',
  ],
  DATA_DIR_UNUSABLE: [
    500,
    'The data folder {dir} cannot be written: {cause}. Set DATA_DIR to a folder that this user may write.',
  ],
  DATABASE_DRIVER: [
    500,
    'The database driver better-sqlite3 cannot be loaded by this Node ({node}){built}. After a change of Node it is built anew: {command}',
  ],
  DATA_DIR_OPEN: [
    500,
    '{path} can be read or changed by other users of this machine (mode {mode}), and is not closed: {cause}. Let its owner run chmod go= on it, or set DATA_DIR to a new folder inside, such as {dir}/feed.',
  ],
  CATALOG_DAMAGED: [
    500,
    'The database {file} is damaged: {problem}. Restore the last backup of the data folder.',
  ],
  CATALOG_NEWER: [
    500,
    'The database {file} has schema {found}; this program knows schema {known} at most. Start the newer program, or restore a backup.',
  ],
  PORT_TAKEN: [
    500,
    'Port {port} on {host} is taken. Stop the program that uses it, or set PORT (0 picks a free one).',
  ],
  HOST_UNUSABLE: [
    500,
    'The server cannot listen on {host}, port {port}: {cause}. Set HOST to an address of this machine (0.0.0.0 is all of them), or PORT to another port.',
  ],

  SERVER_SILENT: [
    500,
    'The server at {url}, which holds the data folder, does not answer: {cause}. Look into its log, or stop it and try again.',
  ],
  AUDIT_BROKEN: [
    500,
    'The audit log is broken at entry {number}{at}: {problem}. {before} entries before it are as they were written.',
  ],
  SERVER_REFUSED: [500, 'The running server says: {reason}'],
  SERVER_STRANGE: [
    500,
    'The server at {url}, which holds the data folder, gives an answer that is not understood: another program may have its port. Look into its log, or stop it and try again.',
  ],

  SOURCE_UNREACHABLE: [502, 'The source cannot be reached: {url}: {cause}'],
  SOURCE_REFUSED: [502, 'The source answers {status} to {url}{advice}'],
  SOURCE_STRANGE: [502, 'The source is not understood: {url}: {problem}'],
  SOURCE_TOO_LARGE: [502, 'The source cannot be asked for all that it has: {url}: {problem}'],
  IMPORT_DIFFERS: [
    409,
    '{id} {version} is here already with other bytes, and nothing published is ever replaced.',
  ],
  IMPORT_HASH: [
    400,
    'The bytes are not those that the source announces: its {algorithm} is {expected}, found {found}.',
  ],
  IMPORT_IDENTITY: [400, 'The package says of itself that it is {found}; the source calls it {expected}.'],

  NO_FEED: [
    500,
    'There is no feed to read: {file} cannot be opened ({cause}). Set DATA_DIR to the data folder of the server.',
  ],
  BLOBS_BEING_REMOVED: [
    500,
    'feed:verify is removing orphans in {dir} at this moment; try again in a minute.',
  ],
  NO_ROOM: [500, 'There is not enough room at {dir}: {needed} bytes are needed, {free} are free.'],
  DISK_FULL: [500, 'No room is left at {dir}; nothing half stays there. Free some room and run it again.'],
  INTERRUPTED: [500, 'Interrupted; {state}'],
  FILE_EXISTS: [500, '{file} is there already. Name another file, or replace it with --replace.'],
  FILE_MISSING: [
    500,
    '{file} cannot be restored: {cause}. Expected a file that `feed:backup` wrote; correct the path.',
  ],
  PLACE_MISSING: [
    500,
    'Nothing can be imported from {place}: {cause}. Expected a folder of nupkg files, or the address of a feed, with http:// or https://; correct it.',
  ],
  PASSWORD_MISSING: [
    500,
    'The file {file} of --password-file cannot be read: {cause}. Expected a file with the password alone; correct the path.',
  ],
  FILE_UNUSABLE: [500, '{file} cannot be used: {cause}.'],
  EXPORT_FOREIGN: [
    500,
    '{path} is not from an earlier export, or was changed since; nothing of it is overwritten. Export into an empty folder.',
  ],
  EXPORT_INCOMPLETE: [
    500,
    '{count} files were not exported, since their stored bytes are damaged. `feed:verify` says what to do.',
  ],
  EXPORT_UNKNOWN: [500, 'Not on this feed: {ids}.'],
  BUCKET_FAULTS: [500, 'Rules of the bucket are broken: {count}. The lines above say what to do.'],
  BUCKET_MISSING: [500, '{dir} cannot be checked: {cause}. Expected a clone of a bucket; correct the path.'],
  BUCKET_UNREADABLE: [500, '{dir} cannot be checked: {problem}.'],
  VERIFY_FAULTS: [500, 'Faults were found: {count}. The lines above say what to do.'],
  BLOB_DAMAGED: [
    500,
    'Stored bytes are damaged: {path}, {problem}. `feed:verify` names all that is damaged and what to do.',
  ],
  BACKUP_INVALID: [500, '{file} cannot be restored: {problem}. Take another backup.'],
  BACKUP_NEWER: [
    500,
    '{file} has format {found}, this program reads format {known}. Restore it with go-win-tools {program}.',
  ],
  RESTORE_OCCUPIED: [
    500,
    'The folder {dir} has data in it already. --replace moves it aside to {dir}.before-TIME; --into names another folder.',
  ],
  RESTORE_BACKWARD: [
    500,
    'The bucket in {dir} is ahead of the backup: {refs} would go back. Scoop cannot follow a branch that goes back: every machine that updated since would need `scoop bucket rm` and `add`. Nothing was changed; --accept-older-bucket restores anyway.',
  ],
  RESTORE_HALF: [
    500,
    'The restored folder could not be put in the place of {dir}. What was there is whole in {aside}: rename it back.',
  ],
  RESTORE_PLACE: [
    500,
    'The folder {dir} has data and cannot be moved aside ({cause}). Restore to a folder inside of it with --into, and set DATA_DIR to that.',
  ],

  KEY_MISSING: [
    401,
    'This needs an API key: send it as X-NuGet-ApiKey, as a Bearer token, or as the password of Basic authentication.',
  ],
  KEY_INVALID: [
    403,
    'The specified API key is invalid: it is unknown to this server. Leave the key out to push with saved credentials.',
  ],
  KEY_EXPIRED: [403, expired],
  KEY_REVOKED: [403, revoked],
  KEY_ROTATED: [403, rotated],
  KEY_NETWORK: [
    403,
    'The specified API key ({name}) may not be used from {from}: it is limited to other networks. Use it from one of them, or ask for a key for this one.',
  ],
  PASSWORD_EXPIRED: [401, expired],
  PASSWORD_REVOKED: [401, revoked],
  PASSWORD_ROTATED: [401, rotated],
  PASSWORD_INVALID: [
    401,
    'The password of Basic authentication is not a valid API key. Use any user name, and a key as the password.',
  ],
  KEY_SCOPE: [403, 'The specified API key does not have the scope {scope} for {subject}.'],
  KEY_IDS: [403, 'The specified API key is limited to {ids}, which {subject} is not among.'],

  ID_RESERVED: [
    403,
    'The id {id} is reserved ({reserved}): that takes a key that is limited to such ids (rule reserved-ids).',
  ],
  ORIGIN_FOREIGN: [
    403,
    'The request comes from a page of another site ({origin}), which may change nothing here. Set PUBLIC_URL if that is the address of this server.',
  ],
  UPLOADS_TOO_MANY: [
    429,
    '{limit} uploads {what} are running already, which is the limit; send this one again when one of them is through.',
  ],

  QUERY_INVALID: [400, 'The query is not understood: {problem}'],
  QUERY_TOO_COSTLY: [400, 'The query is more than one request may cost: {problem}. Ask for less at once.'],
  QUERY_TOO_SLOW: [
    503,
    'The query was given up after {ms} ms; narrow it, for example by `Id eq` or `IsLatestVersion`.',
  ],
  QUERY_BUSY: [503, 'Too many long queries at once; try again in a moment.'],
  PATH_INVALID: [400, 'The address is not understood: {problem}'],
  ROUTE_UNKNOWN: [
    404,
    'Nothing is served at {path}. The feed is at /nuget (NuGet v3: /v3/index.json), the bucket at /git/main/go-win-tools.git.',
  ],
  METHOD_NOT_ALLOWED: [405, '{method} is not allowed here; allowed: {allowed}.'],

  PACKAGE_NOT_FOUND: [404, 'No package {id} {version} on this feed.'],
  VERSION_PURGED: [
    410,
    '{id} {version} was taken away for good (feed:purge): its bytes are gone, and the version is never used again. Take, or publish, another one.',
  ],
  PURGE_OFFERED: [
    409,
    'The branch {channel} still offers {id} {version}, and Scoop would fail on it. Take it off there first (release:withdraw {id}@{version}), or purge it all the same with --force.',
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
  STORAGE_FULL: [
    507,
    'The server has no room left on disk; nothing was stored. Free some room and send it again.',
  ],

  SYMBOLS_UNSUPPORTED: [404, 'Symbol packages are not kept here; push the package alone.'],

  PAYLOAD_NOT_FOUND: [404, 'No payload {tool}/{version}/{file} here.'],
  PAYLOAD_DIFFERS: [
    409,
    'Payload {tool}/{version}/{file} is already here with other bytes (SHA-256 {sha256}); payloads are never replaced. Publish another version.',
  ],
  PAYLOAD_INVALID: [400, 'This payload cannot be stored: {problem}'],

  MANIFEST_NOT_FOUND: [404, 'No manifest for {tool} {version} in the bucket.'],
  BUCKET_UNKNOWN: [404, 'No such bucket. Use /git/main/go-win-tools.git or /git/beta/go-win-tools.git.'],
  BUCKET_DAMAGED: [
    500,
    'The bucket in {dir} is damaged: {problem}. Put the folder bucket back from a backup, or from a clone that is as new.',
  ],
  BUCKET_BROKEN: [
    503,
    'The bucket cannot be served: its branch {branch} leads nowhere. Restore the folder bucket of the data folder from a backup.',
  ],
  GIT_ONLY: [404, 'This address is for git and Scoop: scoop bucket add go-win-tools {url}'],
  GIT_DUMB: [
    403,
    'This git client is too old: the bucket is served by the smart protocol only (git 1.6.6 and newer).',
  ],
  GIT_BUSY: [503, 'Too many git requests at once; try again in a moment.'],
  GIT_MISSING: [500, 'The bucket needs git, which was not found: install git and put it in PATH.'],
  PUSH_TOO_SLOW: [413, 'The push could not be checked within {seconds} seconds; push fewer commits at once.'],
  PUSH_INVALID: [400, 'The push is not understood: {problem}. Push with git itself, 1.7 or newer.'],
  PUSH_REFUSED: [403, '{faults}'],
  PUSHES_AT_ONCE: [429, 'This key has {limit} pushes under way; wait until one of them has ended.'],
  ENCODING_UNKNOWN: [415, 'A body in the encoding {encoding} is not understood; send it plain or as gzip.'],
  PUSH_TOO_LARGE: [413, '{what} has {found}; at most {limit} are taken.'],
  PUSH_GATE_SHUT: [
    503,
    'Pushes are refused: the hook {file} that checks them cannot run. Put the data folder on a volume that may hold programs, and start again.',
  ],
  GIT_FAILED: [500, 'git could not answer; see the server log.'],

  KEY_UNUSABLE: [400, 'This key cannot be made: {problem}.'],
  KEY_UNKNOWN: [404, 'No active key has the id or name {which}; `feed:keys list` shows all.'],
  KEY_AMBIGUOUS: [409, 'Several keys are named {which}: say which one by its id: {ids}.'],
  KEY_NOT_FOUND: [404, 'No active key has the id {id}; `feed:keys list` shows all.'],
  KEY_DEAD: [
    409,
    'The key {id} has expired: a new secret for it needs a new time, too (--expires, expires).',
  ],
  BODY_TOO_LARGE: [413, 'The request body is larger than what belongs here; nothing was done.'],
  HEADER_INVALID: [400, 'The header {name} is not understood: expected {expected}.'],
  BODY_INVALID: [400, 'The request body is not understood: {problem}'],
  NOT_READY: [503, 'Not ready: {problem}'],
  SHUTTING_DOWN: [503, 'The server is shutting down; try again in a moment.'],
  INTERNAL: [500, 'Something went wrong on the server; its log has the details under this request id.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof errors;

/** How a verb ends (contract section 1); every other error is 1. */
const exitCodes: Partial<Record<ErrorCode, 2 | 4 | 130>> = {
  BUCKET_MISSING: 2,
  FILE_MISSING: 2,
  PLACE_MISSING: 2,
  PASSWORD_MISSING: 2,
  KEY_UNUSABLE: 2,
  SOURCE_UNREACHABLE: 4,
  SOURCE_STRANGE: 4,
  SERVER_SILENT: 4,
  SERVER_STRANGE: 4,
  INTERRUPTED: 130,
};

/** The one error of the server. `message` is the filled-in sentence, `status` what HTTP answers. */
export class FeedError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  /** For a process that could not start or go on because of it. */
  readonly exitCode: 1 | 2 | 4 | 130;
  readonly details: Details;

  constructor(code: ErrorCode, details: Details = {}, cause?: unknown) {
    const [status, sentence] = errors[code];
    super(fill(sentence, details), cause === undefined ? undefined : { cause });
    this.name = 'FeedError';
    this.code = code;
    this.exitCode = exitCodes[code] ?? 1;
    this.status = status;
    this.details = details;
  }
}

/** Throws the error `code`; reads as a statement where it is called. */
export function fail(code: ErrorCode, details: Details = {}, cause?: unknown): never {
  throw new FeedError(code, details, cause);
}
