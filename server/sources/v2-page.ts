import { visible } from '../../formats/format-error.ts';
import { parseNuGetVersion } from '../../formats/nuget-version.ts';
import { isPackageId } from '../../formats/nuspec-fields.ts';
import { readXml, type XmlElement } from '../../formats/xml.ts';
import { resolveLink } from './links.ts';
import type { AnnouncedHash } from './source.ts';

/** What one entry of a v2 feed says of a package version. */
export type V2Entry = {
  readonly id: string;
  readonly version: string;
  readonly isListed: boolean;
  readonly published: Date | undefined;
  readonly sizeBytes: number | undefined;
  readonly hash: AnnouncedHash | undefined;
  /** Undefined when the entry names none. */
  readonly content: URL | undefined;
};

export type V2Page = {
  readonly entries: readonly V2Entry[];
  /** Entries that name no package, as people may see them. */
  readonly strange: readonly string[];
  readonly next: URL | undefined;
};

/** 100 entries with long descriptions and release notes. */
const limits = { maxBytes: 64 * 1024 ** 2, maxElements: 500_000 };

/**
 * Reads a page of a v2 feed (spec nuget-v2 9.3 to 9.5), whoever wrote it: properties of any order and namespace year,
 * without counts, hashes, sizes or dates.
 * @throws FormatError XML_*
 */
export async function readV2Page(text: string, url: URL): Promise<V2Page> {
  const root = await readXml(text, limits);
  const base = baseOf(root, url);
  const found = root.name === 'entry' ? [root] : childrenOf(root, 'entry');
  const entries = found.map((entry) => readEntry(entry, base));
  const next = childrenOf(root, 'link').find((link) => link.attributes.get('rel') === 'next');
  return {
    entries: entries.filter((entry) => typeof entry !== 'string'),
    strange: entries.filter((entry) => typeof entry === 'string'),
    next: next && resolveLink(next.attributes.get('href') ?? '', base),
  };
}

function readEntry(entry: XmlElement, base: URL): V2Entry | string {
  const content = childrenOf(entry, 'content')[0];
  // Beside the content (media-link entries), or inside it.
  const properties = childrenOf(entry, 'properties')[0] ?? (content && childrenOf(content, 'properties')[0]);
  const property = (name: string) => {
    const text = properties && childrenOf(properties, name)[0]?.text;
    return text === '' ? undefined : text;
  };
  const address = childrenOf(entry, 'id')[0]?.text ?? '';
  // The community repository has no Id property: the title is the id (spec nuget-v2 9.4).
  const id = property('Id') ?? childrenOf(entry, 'title')[0]?.text ?? '';
  const version = property('Version') ?? property('NormalizedVersion') ?? '';
  if (!isPackageId(id) || parseNuGetVersion(version) === undefined) {
    return visible(`${id} ${version} ${address}`.trim());
  }
  const published = readDate(property('Published'));
  return {
    id,
    version,
    isListed: isListed(property('Listed'), published),
    published: trueDate(published) ?? trueDate(readDate(property('Created'))),
    sizeBytes: readSize(property('PackageSize')),
    hash: readHash(property('PackageHash'), property('PackageHashAlgorithm')),
    content: resolveLink(content?.attributes.get('src') ?? '', baseOf(entry, base)),
  };
}

/** Unlisted is what was published in 1900; `Listed` says it too, where it is there (spec nuget-v2 9.5). */
export function isListed(listed: string | undefined, published: Date | undefined): boolean {
  if (listed !== undefined) return listed.toLowerCase() !== 'false';
  return published === undefined || trueDate(published) !== undefined;
}

/** 1900 is no date but the mark of what is unlisted. */
export function trueDate(date: Date | undefined): Date | undefined {
  return date !== undefined && date.getUTCFullYear() > 1901 ? date : undefined;
}

/** Without a zone it is UTC, as servers mean it. */
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

/** Base64 of the digest; its length tells which, unless another one is named (MD5 is as good as none). */
export function readHash(text: string | undefined, algorithm = ''): AnnouncedHash | undefined {
  const bytes = Buffer.from(text ?? '', 'base64');
  const found = bytes.length === 64 || bytes.length === 32 ? hashes[bytes.length] : undefined;
  const named = algorithm.toLowerCase().replace('-', '');
  return found === undefined || (named !== '' && named !== found)
    ? undefined
    : { algorithm: found, hex: bytes.toString('hex') };
}

function baseOf(element: XmlElement, base: URL): URL {
  const text = element.attributes.get('xml:base');
  return (text !== undefined && resolveLink(text, base)) || base;
}

function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name);
}
