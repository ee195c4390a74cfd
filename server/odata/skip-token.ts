import { fail } from '../errors.ts';

/** The last row of a page, which names the next page. */
export type SkipToken = { readonly id: string; readonly version: string };

/** `'chromium','108.0.5315'`, as the community repository writes them (spec nuget-v2 9.7), for an address. */
export function printSkipToken({ id, version }: SkipToken): string {
  return encodeURIComponent(`'${id}','${version}'`);
}

/** @throws FeedError QUERY_INVALID for what no next link of ours contains */
export function readSkipToken(text: string): SkipToken {
  const [, id, version] = /^'([^']{1,100})','([^']{1,100})'$/.exec(text) ?? [];
  return id !== undefined && version !== undefined
    ? { id, version }
    : fail('QUERY_INVALID', { problem: '$skiptoken can only be taken from the next link of an answer.' });
}
