import { FeedError } from '../errors.ts';

/** A full disk as the error that clients get; every other error as it is. */
export function roomError(error: unknown): unknown {
  return isFull(error) ? new FeedError('STORAGE_FULL', {}, error) : error;
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

export function isFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG');
}
