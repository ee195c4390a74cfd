import { readV2Page, type V2Entry } from '../../../formats/v2-page.ts';

/** A package version as a feed lists it; `published` is undefined where it does not say, as older ones do for what is unlisted. */
export type FeedPackage = Pick<V2Entry, 'id' | 'version' | 'isListed' | 'published'> & {
  /** Lower-case hex; undefined when the feed does not say. */
  readonly sha512: string | undefined;
  readonly downloadUrl: string | undefined;
};

export type FeedPage = { readonly packages: readonly FeedPackage[]; readonly nextUrl: string | undefined };

/** One page of any v2 feed, read at `url`; entries that are not packages are skipped. @throws FormatError XML_* */
export function readFeedPage(xml: string, url: string): FeedPage {
  const { entries, next } = readV2Page(xml, new URL(url));
  return {
    packages: entries.map(({ id, version, isListed, published, hash, content }) => ({
      id,
      version,
      isListed,
      published,
      sha512: hash?.algorithm === 'sha512' ? hash.hex : undefined,
      downloadUrl: content?.href,
    })),
    nextUrl: next?.href,
  };
}
