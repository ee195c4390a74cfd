/** A key of the feed, or how a run gets one that is good now (published/feed/exchange-token.ts). */
export type FeedKey = string | (() => Promise<string>);

/** @throws ReleaseError FEED_TOKEN_* */
export async function currentKey(key: FeedKey): Promise<string> {
  return typeof key === 'string' ? key : key();
}
