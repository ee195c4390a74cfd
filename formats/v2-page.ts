import { type AtomEntry, propertyOf, readAtomPage } from './atom-page.ts';
import { resolveLink } from './feed-link.ts';
import { fail, quoted, visible } from './format-error.ts';
import { parseNuGetVersion } from './nuget-version.ts';
import { isPackageId } from './nuspec-fields.ts';
import { type Element, readXmlTree } from './xml-tree.ts';

/** The hash that a feed announces; hex is lower case. */
export type AnnouncedHash = { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string };

/** What one entry of a v2 feed says about a package version. */
export type V2Entry = {
  readonly id: string;
  readonly version: string;
  readonly isListed: boolean;
  readonly published: Date | undefined;
  readonly sizeBytes: number | undefined;
  readonly hash: AnnouncedHash | undefined;
  /** Undefined when the entry has no content. */
  readonly content: URL | undefined;
};

export type V2Page = {
  readonly entries: readonly V2Entry[];
  /** Entries that name no package, described for people. */
  readonly unnamed: readonly string[];
  readonly next: URL | undefined;
};

/** Feeds without paging send everything at once: some 10,000 versions with long descriptions. */
const limits = { maxBytes: 64 * 1024 ** 2, maxElements: 500_000 };

/**
 * Reads a page of any v2 feed (spec nuget-v2 9.3 to 9.5): properties in any order and with any namespace year, with or without
 * counts, hashes, sizes and dates. Relative addresses start at its xml:base, or else at `url`, where the page was read.
 * @throws FormatError XML_*, PAGE_SHAPE
 */
export function readV2Page(text: string, url: URL): V2Page {
  const root = readXmlTree(text, limits);
  const page = readAtomPage(root) ?? notAtom(root);
  const base = baseOf(root, url);
  const entries = page.entries.map((entry) => readEntry(entry, base));
  return {
    entries: entries.filter((entry) => typeof entry !== 'string'),
    unnamed: entries.filter((entry) => typeof entry === 'string'),
    next: page.next?.trim() ? (resolveLink(page.next, base) ?? notALink(page.next)) : undefined,
  };
}

function notAtom({ name }: Element): never {
  return fail('PAGE_SHAPE', { expected: 'feed or entry as its root', found: quoted(name) });
}

/** Continuing without the remaining pages would make their packages look missing. */
function notALink(next: string): never {
  return fail('PAGE_SHAPE', { expected: 'a web address as its next link', found: quoted(next) });
}

function readEntry(entry: AtomEntry, base: URL): V2Entry | string {
  const property = (name: string) => propertyOf(entry, name) || undefined;
  const version = property('Version') ?? property('NormalizedVersion') ?? '';
  const { id, atomId, element, source } = entry;
  if (!isPackageId(id) || parseNuGetVersion(version) === undefined) {
    return visible(`${id} ${version} ${atomId}`.trim());
  }
  const published = readDate(property('Published'));
  return {
    id,
    version,
    isListed: isListed(property('Listed'), published),
    published: trueDate(published) ?? trueDate(readDate(property('Created'))),
    sizeBytes: readSize(property('PackageSize')),
    hash: readHash(property('PackageHash'), property('PackageHashAlgorithm')),
    content: resolveLink(source ?? '', baseOf(element, base)),
  };
}

/** Unlisted packages have `published` in 1900; some feeds also set `Listed` (spec nuget-v2 9.5). */
export function isListed(listed: string | undefined, published: Date | undefined): boolean {
  if (listed !== undefined) return listed.toLowerCase() !== 'false';
  return published === undefined || trueDate(published) !== undefined;
}

/** 1900 is not a real date: it marks unlisted packages. */
export function trueDate(date: Date | undefined): Date | undefined {
  return date !== undefined && date.getUTCFullYear() > 1901 ? date : undefined;
}

/** A date without a zone is UTC, as servers mean it. */
export function readDate(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const date = new Date(/(?:z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function readSize(text: string | undefined): number | undefined {
  const size = /^\d{1,15}$/.test(text ?? '') ? Number(text) : 0;
  return size > 0 ? size : undefined;
}

const hashes = { 64: 'sha512', 32: 'sha256' } as const;

/** Base64 of the digest. Its length decides the algorithm unless another one is named (MD5 counts as no hash). */
export function readHash(text: string | undefined, algorithm = ''): AnnouncedHash | undefined {
  const bytes = Buffer.from(text ?? '', 'base64');
  const found = bytes.length === 64 || bytes.length === 32 ? hashes[bytes.length] : undefined;
  const named = algorithm.toLowerCase().replace('-', '');
  return found === undefined || (named !== '' && named !== found)
    ? undefined
    : { algorithm: found, hex: bytes.toString('hex') };
}

function baseOf(element: Element, base: URL): URL {
  const text = element.attributes.get('xml:base');
  return (text !== undefined && resolveLink(text, base)) || base;
}
