import { type Details, fill } from '../formats/fill.ts';
import { bucketErrors } from './error-tables/bucket.ts';
import { feedErrors } from './error-tables/feed.ts';
import { keyErrors } from './error-tables/keys.ts';
import { replicaErrors } from './error-tables/replicas.ts';
import { rolloutErrors } from './error-tables/rollouts.ts';
import { startErrors } from './error-tables/start.ts';
import type { ErrorTable } from './error-tables/table.ts';
import { trustErrors } from './error-tables/trust.ts';
import { verbErrors } from './error-tables/verbs.ts';

/** Every error of the server and its verbs. */
const errors = {
  ...startErrors,
  ...verbErrors,
  ...keyErrors,
  ...feedErrors,
  ...bucketErrors,
  ...rolloutErrors,
  ...replicaErrors,
  ...trustErrors,
} satisfies ErrorTable;

export type ErrorCode = keyof typeof errors;

/** The exit code of a verb (contract section 1); for every other error it is 1. */
const exitCodes: Partial<Record<ErrorCode, 2 | 4 | 5 | 130>> = {
  BUCKET_MISSING: 2,
  FILE_MISSING: 2,
  PLACE_MISSING: 2,
  PASSWORD_MISSING: 2,
  KEY_UNUSABLE: 2,
  PUBLISHER_UNUSABLE: 2,
  ISSUER_UNUSABLE: 2,
  ISSUER_FILE: 2,
  RING_UNUSABLE: 2,
  CLIENT_INVALID: 2,
  PURGE_ROLLOUT: 2,
  MIGRATE_SQLITE: 2,
  RESTORE_SHARED: 2,
  SOURCE_UNREACHABLE: 4,
  SOURCE_STRANGE: 4,
  SERVER_SILENT: 4,
  SERVER_STRANGE: 4,
  DATABASE_UNREACHABLE: 4,
  DOCTOR_FINDINGS: 5,
  INTERRUPTED: 130,
};

/** The server's only error class. `message` is the filled-in sentence, `status` the HTTP status. */
export class FeedError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  /** For a process that cannot start or continue because of it. */
  readonly exitCode: 1 | 2 | 4 | 5 | 130;
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

/** Whether a disk or file did not do what it was asked to, rather than a program asking for the wrong thing. */
export function isStorageFailure(error: unknown): boolean {
  if (error instanceof FeedError) return error.code === 'STORAGE_FULL';
  if (!(error instanceof Error && 'code' in error)) return false;
  // SQLite's, or the operating system's, such as ENOSPC; Node's own begin with ERR_
  return /^(SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY)|E[A-Z0-9]+$)/.test(String(error.code));
}
