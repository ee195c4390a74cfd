import { parseStringPromise, processors } from 'xml2js';
import { z } from 'zod';

const texts = z.array(z.unknown());
const Entry = z.object({
  title: texts.optional(),
  content: z.array(z.object({ $: z.object({ src: z.string() }) })).optional(),
  properties: z.tuple([z.record(z.string(), texts)]),
});
const Feed = z.object({
  feed: z.object({
    link: z.array(z.object({ $: z.object({ rel: z.string(), href: z.string() }) })).default([]),
    entry: z.array(Entry).default([]),
  }),
});

export type FeedPackage = {
  readonly id: string;
  readonly version: string;
  readonly isListed: boolean;
  /** Lower-case hex; undefined when the feed does not say. */
  readonly sha512: string | undefined;
  readonly downloadUrl: string | undefined;
};

export type FeedPage = { readonly packages: readonly FeedPackage[]; readonly nextUrl: string | undefined };

/** One page of an Atom feed (spec nuget-v2 9.3 to 9.5), of any server. @throws when it is none */
export async function readFeedPage(xml: string): Promise<FeedPage> {
  const parsed: unknown = await parseStringPromise(xml, { tagNameProcessors: [processors.stripPrefix] });
  const { feed } = Feed.parse(parsed);
  return {
    packages: feed.entry.map(readEntry),
    nextUrl: feed.link.find((link) => link.$.rel === 'next')?.$.href,
  };
}

function readEntry(entry: z.infer<typeof Entry>): FeedPackage {
  const [properties] = entry.properties;
  const property = (name: string): string => text(properties[name]?.[0]);
  const hash = property('PackageHashAlgorithm') === 'SHA512' ? property('PackageHash') : '';
  return {
    id: property('Id') || text(entry.title?.[0]),
    version: property('Version'),
    // an unlisted package is marked by its date alone on older servers (spec nuget-v2 9.5)
    isListed: property('Listed') !== 'false' && !property('Published').startsWith('1900-'),
    sha512: hash === '' ? undefined : Buffer.from(hash, 'base64').toString('hex'),
    downloadUrl: entry.content?.[0]?.$.src,
  };
}

/** xml2js gives an element with attributes as an object, one without as its text. */
function text(node: unknown): string {
  if (typeof node === 'string') return node.trim();
  if (typeof node === 'object' && node !== null && '_' in node) return String(node._).trim();
  return '';
}
