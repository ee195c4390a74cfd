import { fail } from '../errors.ts';

/** The last row of a page, from which the next page continues. */
export type SkipToken = { readonly id: string; readonly version: string };

/** `'chromium','108.0.5315'`, in the community repository's form (spec nuget-v2 9.7), escaped for an address. */
export function printSkipToken({ id, version }: SkipToken): string {
  return encodeURIComponent(`'${id}','${version}'`);
}

/** @throws FeedError QUERY_INVALID for anything that our next links cannot contain */
export function readSkipToken(text: string): SkipToken {
  const [, id, version] = /^'([^']{1,100})','([^']{1,100})'$/.exec(text) ?? [];
  return id !== undefined && version !== undefined
    ? { id, version }
    : fail('QUERY_INVALID', { problem: '$skiptoken can only be taken from the next link of an answer.' });
}
