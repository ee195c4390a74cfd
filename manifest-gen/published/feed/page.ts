import { parseStringPromise, processors } from 'xml2js';
import { z } from 'zod';

const texts = z.array(z.unknown());
const Entry = z.object({
  title: texts.optional(),
  content: z.array(z.object({ $: z.object({ src: z.string() }) })).optional(),
  // its namespaces may be declared on it, as `$`
  properties: z.tuple([z.record(z.string(), z.unknown())]),
});
const Feed = z.object({
  feed: z.object({
    $: z.object({ 'xml:base': z.string().optional() }).optional(),
    link: z.array(z.object({ $: z.object({ rel: z.string(), href: z.string() }) })).default([]),
    entry: z.array(Entry).default([]),
  }),
});

export type FeedPackage = {
  readonly id: string;
  readonly version: string;
  readonly isListed: boolean;
  /** Undefined when the feed does not say, as older ones do for what is unlisted. */
  readonly published: Date | undefined;
  /** Lower-case hex; undefined when the feed does not say. */
  readonly sha512: string | undefined;
  readonly downloadUrl: string | undefined;
};

export type FeedPage = { readonly packages: readonly FeedPackage[]; readonly nextUrl: string | undefined };

/**
 * One page of an Atom feed (spec nuget-v2 9.3 to 9.5), of any server. Its addresses may be relative: to its xml:base, else to
 * `url`, where the page was read. @throws when it is none
 */
export async function readFeedPage(xml: string, url: string): Promise<FeedPage> {
  const parsed: unknown = await parseStringPromise(xml, { tagNameProcessors: [processors.stripPrefix] });
  const { feed } = Feed.parse(parsed);
  const named = feed.$?.['xml:base'] ?? '';
  const base = URL.canParse(named, url) ? new URL(named, url).href : url;
  const next = feed.link.find((link) => link.$.rel === 'next')?.$.href;
  return {
    packages: feed.entry.map((entry) => readEntry(entry, base)),
    nextUrl: next === undefined ? undefined : new URL(next, base).href,
  };
}

function readEntry(entry: z.infer<typeof Entry>, base: string): FeedPackage {
  const source = entry.content?.[0]?.$.src;
  const [properties] = entry.properties;
  const property = (name: string): string => text([properties[name]].flat()[0]);
  const published = property('Published');
  const isMarked = published.startsWith('1900-');
  const hash = property('PackageHashAlgorithm') === 'SHA512' ? property('PackageHash') : '';
  return {
    id: property('Id') || text(entry.title?.[0]),
    version: property('Version'),
    // an unlisted package is marked by its date alone on older servers (spec nuget-v2 9.5)
    isListed: property('Listed') !== 'false' && !isMarked,
    published: isMarked ? undefined : readDate(published),
    sha512: hash === '' ? undefined : Buffer.from(hash, 'base64').toString('hex'),
    downloadUrl: source === undefined ? undefined : absolute(source, base),
  };
}

/** Undefined for what is no address, as some proxies and scripts write it: then the feed names no other place. */
function absolute(address: string, base: string): string | undefined {
  return URL.canParse(address, base) ? new URL(address, base).href : undefined;
}

/** Edm.DateTime; where no zone is named it is UTC. */
function readDate(text: string): Date | undefined {
  const date = new Date(/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** xml2js gives an element with attributes as an object, one without as its text. */
function text(node: unknown): string {
  if (typeof node === 'string') return node.trim();
  if (typeof node === 'object' && node !== null && '_' in node) return String(node._).trim();
  return '';
}
