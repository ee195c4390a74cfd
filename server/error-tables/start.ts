import type { ErrorTable } from './table.ts';

/** Errors that keep a server from starting or running: settings, data folder, database, port. */
export const startErrors = {
  DATA_DIR_IN_USE: [
    500,
    'The data folder {dir} is in use by another server (process {pid}). Stop that one, or set DATA_DIR to another folder.',
  ],
  SERVER_UNKNOWN: [
    500,
    'The data folder {dir} is in use by process {pid}, and its server.json does not say at which address that process answers. If it is a server, restart it; if it is another verb, wait until it ends.',
  ],
  DATA_DIR_UNUSABLE: [
    500,
    'The data folder {dir} cannot be written: {cause}. Set DATA_DIR to a folder that this user may write.',
  ],
  DATA_DIR_FULL: [
    500,
    'There is no space left on the disk of the data folder {dir}. Free some space there or enlarge the disk, and start the server again.',
  ],
  DATABASE_DRIVER: [
    500,
    'The database driver better-sqlite3 cannot be loaded by this Node ({node}){built}. After a change of Node, rebuild it: {command}',
  ],
  DATA_DIR_OPEN: [
    500,
    '{path} can be read or changed by other users of this machine (mode {mode}) and cannot be closed to them: {cause}. Let its owner run chmod go= on it, or set DATA_DIR to a new folder inside, such as {dir}/feed.',
  ],
  CATALOG_DAMAGED: [
    500,
    'The database {file} is damaged: {problem}. Restore the last backup of the data folder.',
  ],
  CATALOG_NEWER: [
    500,
    'The database {file} has schema {found}; this version of go-win-tools supports schema {known} at most. Run a newer version, or restore a backup.',
  ],
  BLOB_STORE_SILENT: [
    500,
    'The object store at {at} cannot be reached ({cause}). Check S3_ENDPOINT and the network between this server and the store.',
  ],
  BLOB_STORE_MISSING: [
    500,
    'The object store at {at} has no S3 bucket {bucket}. Create it, or correct BLOB_STORE.',
  ],
  BLOB_STORE_CREDENTIALS: [
    500,
    'There are no credentials for the object store at {at} ({cause}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give this server a web identity or a role. Where one of them is set, check its file, its token and the service that issues the credentials.',
  ],
  BLOB_STORE_REFUSED: [
    500,
    'The object store at {at} refuses these credentials for the S3 bucket {bucket} ({cause}). They need s3:ListBucket on it, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects.',
  ],
  BLOB_STORE_ELSEWHERE: [
    500,
    'The S3 bucket {bucket} is not at {at} ({cause}). Set S3_REGION to its region, and S3_ENDPOINT to the address of the store, without the bucket in it.',
  ],
  PORT_TAKEN: [
    500,
    'Port {port} on {host} is taken. Stop the program that uses it, or set PORT (0 picks a free one).',
  ],
  HOST_UNUSABLE: [
    500,
    'The server cannot listen on {host}, port {port}: {cause}. Set HOST to an address of this machine (0.0.0.0 is all of them), or PORT to another port.',
  ],
  NOT_READY: [503, 'Not ready: {problem}'],
  SHUTTING_DOWN: [503, 'The server is shutting down; try again in a moment.'],
  INTERNAL: [
    500,
    'The server failed unexpectedly. Its log has the details under this request id; report it to the administrator of this feed.',
  ],
} as const satisfies ErrorTable;
