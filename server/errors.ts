import { type Details, fill } from '../formats/fill.ts';
import { bucketErrors } from './error-tables/bucket.ts';
import { feedErrors } from './error-tables/feed.ts';
import { keyErrors } from './error-tables/keys.ts';
import { startErrors } from './error-tables/start.ts';
import type { ErrorTable } from './error-tables/table.ts';
import { verbErrors } from './error-tables/verbs.ts';

/** Every error that the server and its verbs can answer with. */
const errors = {
  ...startErrors,
  ...verbErrors,
  ...keyErrors,
  ...feedErrors,
  ...bucketErrors,
} satisfies ErrorTable;

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
