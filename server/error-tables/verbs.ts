import type { ErrorTable } from './table.ts';

/** Errors of the operator's verbs. */
export const verbErrors = {
  SERVER_SILENT: [
    500,
    'The server at {url}, which holds the data folder, does not answer: {cause}. Check its log, or stop it and try again.',
  ],
  AUDIT_BROKEN: [
    500,
    'The audit log is broken at entry {number}{at}: {problem}. The {before} entries before it are intact. Compare with a backup; docs/operate/audit.md says how.',
  ],
  AUDIT_EMPTY: [500, 'The audit log has no entry yet, so there is nothing to anchor.'],
  ANCHOR_BROKEN: [
    500,
    'The audit log does not contain the anchor of {time} in {file} (entry {number}): {problem}. It has {head} entries now. An older backup was restored, or the log was rewritten: docs/operate/audit.md.',
  ],
  ANCHORS_INVALID: [
    500,
    '{file} cannot be used: line {line} is no anchor. Expected lines that `feed:audit anchor` wrote, at least one.',
  ],
  FOLLOW_LOST: [
    500,
    'Entry {number} of the audit log {is}: an older backup was restored, or the log was rewritten. `feed:audit verify` with a head or anchors that were kept elsewhere says more; then go on with --after, or remove the file of --state.',
  ],
  FOLLOW_STATE: [
    500,
    'The file {file} of --state cannot be used: {cause}. Correct the path, or remove the file to begin again with the first entry.',
  ],
  SERVER_REFUSED: [500, 'The running server says: {reason}'],
  SERVER_STRANGE: [
    500,
    'The server at {url}, which holds the data folder, sent an unexpected response; another program may be using its port. Check its log, or stop it and try again.',
  ],
  SOURCE_UNREACHABLE: [
    502,
    'The source {url} cannot be reached: {cause}. Check the address and the network, then run it again.',
  ],
  SOURCE_REFUSED: [502, 'The source answers {status} to {url}{advice}'],
  SOURCE_STRANGE: [
    502,
    'The source {url} sent an unexpected response: {problem}. Check that the address is right.',
  ],
  SOURCE_TOO_LARGE: [502, 'The source {url} cannot be listed completely: {problem}.'],
  IMPORT_DIFFERS: [
    409,
    '{id} {version} already exists with different content and is never replaced. Compare both; if the source is right, publish its content under a new version.',
  ],
  IMPORT_HASH: [
    400,
    'The bytes have the {algorithm} {found}, but the source announces {expected}. Run the import again; if this stays, the package is damaged at the source.',
  ],
  IMPORT_IDENTITY: [
    400,
    'Expected the package {expected}, as the source lists it, found {found} in its nuspec. Correct it at the source.',
  ],
  MIGRATE_SQLITE: [
    500,
    'DATABASE_URL is not set: feed:migrate is for PostgreSQL. SQLite in DATA_DIR is brought up to date by each start, by itself.',
  ],
  NO_FEED: [
    500,
    'There is no feed to read: {file} cannot be opened ({cause}). Set DATA_DIR to the data folder of the server.',
  ],
  BLOBS_BEING_REMOVED: [
    500,
    'feed:verify is removing orphans in {dir} at this moment; try again in a minute.',
  ],
  NO_ROOM: [500, 'There is not enough space at {dir}: {needed} bytes are needed, {free} are free.'],
  DISK_FULL: [
    500,
    'No space is left at {dir}; no partial file was left behind. Free some space and run it again.',
  ],
  INTERRUPTED: [500, 'Interrupted; {state}'],
  FILE_EXISTS: [500, '{file} already exists. Name another file, or replace it with --replace.'],
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
    '{path} is not from an earlier export, or was changed since, so it is not overwritten. Export into an empty folder.',
  ],
  EXPORT_INCOMPLETE: [
    500,
    '{count} files were not exported, since their stored bytes are damaged. `feed:verify` says what to do.',
  ],
  EXPORT_UNKNOWN: [500, 'This feed has no packages with these ids: {ids}. Correct --id.'],
  BUCKET_FAULTS: [500, 'Push rules are broken: {count} faults. The lines above say what to do.'],
  BUCKET_MISSING: [500, '{dir} cannot be checked: {cause}. Expected a clone of a bucket; correct the path.'],
  BUCKET_UNREADABLE: [
    500,
    '{dir} cannot be checked: {problem}. Expected a complete clone with the branches main and beta.',
  ],
  DOCTOR_FINDINGS: [500, 'Checks that need attention: {count}. The lines above say what to do.'],
  VERIFY_FAULTS: [500, 'Faults were found: {count}. The lines above say what to do.'],
  BLOB_DAMAGED: [
    500,
    'Stored bytes are damaged: {path}, {problem}. `feed:verify` names everything that is damaged and says what to do.',
  ],
  BACKUP_INVALID: [500, '{file} cannot be restored: {problem}. Use another backup.'],
  BACKUP_NEWER: [
    500,
    '{file} has format {found}; this program reads format {known}. Restore it with go-win-tools {program}.',
  ],
  RESTORE_OCCUPIED: [
    500,
    'The folder {dir} already has data in it. --replace moves it aside to {dir}.before-TIME; --into names another folder.',
  ],
  DATABASE_FILLED: [
    500,
    'The database {database} is not empty: there are rows in {tables}. A backup can be restored only into an empty database: make a new one, with no server running on it (a server writes counts there), or restore into a data folder with --into.',
  ],
  STORE_FILLED: [
    500,
    'The object store {store} is not empty: it has the blob {sha256}, which is not in the backup. A backup can be restored only into an empty store: name another prefix in BLOB_STORE, or remove what is there.',
  ],
  RESTORE_SHARED: [
    500,
    '--replace is for data folders. With DATABASE_URL a backup can be restored only into an empty database and object store; --into names a folder.',
  ],
  RESTORE_BACKWARD: [
    500,
    'The bucket in {dir} is ahead of the backup: {refs} would go back. Scoop cannot follow a branch that goes back: every machine that updated since would need `scoop bucket rm` and `add`. Nothing was changed; --accept-older-bucket restores anyway.',
  ],
  RESTORE_HALF: [
    500,
    'The restored folder could not replace {dir}. The earlier data is intact in {aside}: rename it back.',
  ],
  RESTORE_PLACE: [
    500,
    'The folder {dir} has data and cannot be moved aside ({cause}). Restore to a folder inside it with --into, and set DATA_DIR to that.',
  ],
} as const satisfies ErrorTable;
