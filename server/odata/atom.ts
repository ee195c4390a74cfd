import { hash } from 'node:crypto';
import type { PackageRow } from '../catalog/catalog.ts';
import { namedPath } from '../feed/shown-addresses.ts';
import { createPause } from '../pause.ts';
import type { FeedLinks } from './links.ts';
import { createLongFeeds } from './long-feeds.ts';
import {
  type FeedProperty,
  feedProperties,
  type PropertyValue,
  shownCount,
  shownPublished,
} from './properties.ts';
import { entityName, escapeXml, namespaces, schemaName, xmlDeclaration } from './xml.ts';

export type Feed = {
  /** `Packages`, `Search`, ... */
  readonly title: string;
  readonly rows: readonly PackageRow[];
  /** How many there are in all, when the client asked (`$inlinecount=allpages`). */
  readonly total?: number | undefined;
  /**
   * Where the rest is, behind the last entry that is shown; undefined where that is the end. Absolute: NuGet.Client
   * follows it unmodified (spec nuget-v2 9.7).
   */
  readonly next?: (shown: number) => string | undefined;
};

export type RenderedFeed = {
  readonly text: string | Buffer;
  /** Shorter than the text, and equal when that is equal, and only then, so that its hash is an ETag (test/server/odata/atom.test.ts). */
  readonly identity: string;
};

/** How long a feed may become; it ends with the entry that reaches this. Six thousand entries of 5 KB fit in. */
const maxFeedCharacters = 32 * 1024 ** 2;
/** V8 joins longer texts in one go, which holds up everybody. */
const pieceCharacters = 1024 ** 2;

/** Written one at a time: together they would fill the memory before the first of them is done. */
const longFeeds = createLongFeeds();

/** A feed document (spec nuget-v2 9.3). Of thousands of entries, others are answered meanwhile. */
export async function renderFeed(
  { title, rows, total, next }: Feed,
  links: FeedLinks,
  maxCharacters: number = maxFeedCharacters,
): Promise<RenderedFeed> {
  // By the rows and not by the clock: the same answer has the same ETag.
  const updated = new Date(rows.reduce((newest, row) => Math.max(newest, row.lastEdited.getTime()), 0));
  let text = `${xmlDeclaration}<feed ${declarations(links)}>`;
  if (total !== undefined) text += `<m:count>${total}</m:count>`;
  text += `<title type="text">${title}</title><id>${escapeXml(`${links.base}/${title}`)}</id>`;
  text += `<updated>${dateTime(updated)}</updated><link rel="self" title="${title}" href="${title}"/>`;
  let identity = `${links.base}\n${title}\n${total}\n${updated.getTime()}`;
  const pieces: Buffer[] = [];
  let written = 0;
  let shown = 0;
  const pause = createPause();
  let leave: (() => void) | undefined;
  try {
    for (const row of rows) {
      if (written + text.length >= maxCharacters && shown > 0) break;
      text += `<entry>${renderContent(row, links)}</entry>`;
      identity += `\n${rowIdentity(row)}`;
      shown += 1;
      if (text.length >= pieceCharacters) {
        written += text.length;
        pieces.push(Buffer.from(text));
        text = '';
        leave ??= await longFeeds.enter();
      }
      if (pause.isDue()) await pause.take();
    }
    const rest = next?.(shown);
    if (rest !== undefined) text += `<link rel="next" href="${escapeXml(rest)}"/>`;
    text += '</feed>';
    identity += `\n${rest}`;
    return { text: pieces.length === 0 ? text : Buffer.concat([...pieces, Buffer.from(text)]), identity };
  } finally {
    leave?.();
  }
}

/** The document of one package version (spec nuget-v2 9.4). */
export function renderEntry(row: PackageRow, links: FeedLinks): string {
  return `${xmlDeclaration}<entry ${declarations(links)}>${renderContent(row, links)}</entry>`;
}

/** As that of a feed, of an entry. What all texts have in common is not in it. */
export function entryIdentity(row: PackageRow, links: FeedLinks): string {
  return [links.base, rowIdentity(row)].join('\n');
}

/** The document of one property: `Packages(...)/Version`. */
export function renderProperty(name: string, value: string): string {
  return `${xmlDeclaration}<${name} xmlns="${namespaces.d}">${escapeXml(value)}</${name}>`;
}

function declarations({ base }: FeedLinks): string {
  return `xml:base="${escapeXml(base)}/" xmlns="${namespaces.atom}" xmlns:d="${namespaces.d}" xmlns:m="${namespaces.m}"`;
}

const category = `<category term="${schemaName}.${entityName}" scheme="${namespaces.scheme}"/>`;

/** `content` closes itself: WCF refuses an end tag (spec nuget-v2 section 15, trap 5). `m:properties` stands beside it (9.4). */
function renderContent(row: PackageRow, links: FeedLinks): string {
  const entry = escapeXml(links.entry(row.id, row.version));
  const said = renderedNuspec(row.nuspec);
  let text =
    `<id>${escapeXml(links.base)}/${entry}</id>${category}` +
    `<link rel="edit" title="${entityName}" href="${entry}"/>` +
    `<link rel="edit-media" title="${entityName}" href="${entry}/$value"/>` +
    `<link rel="self" title="${entityName}" href="${entry}"/>` +
    `<title type="text">${escapeXml(row.id)}</title>${said.summary}` +
    `<updated>${dateTime(row.lastEdited)}</updated>${said.author}` +
    `<content type="application/zip" src="${escapeXml(links.download(row.id, row.normalizedVersion))}"/><m:properties>`;
  for (const piece of pieces) {
    text += typeof piece === 'number' ? said.pieces[piece] : piece(row, links, said);
  }
  return `${text}</m:properties>`;
}

/** All of a row that an entry shows beside the nuspec, whose rendering has a digest of its own. */
function rowIdentity(row: PackageRow): string {
  return [
    row.id,
    row.version,
    row.normalizedVersion,
    shownCount(row.downloads),
    shownCount(row.versionDownloads),
    row.sizeBytes,
    row.sha512,
    row.created.getTime(),
    shownPublished(row).getTime(),
    row.lastEdited.getTime(),
    row.isLatest,
    row.isAbsoluteLatest,
    row.isPrerelease,
    row.isListed,
    renderedNuspec(row.nuspec).digest,
  ].join(' ');
}

type WriteOfRow = (row: PackageRow, links: FeedLinks, said: RenderedNuspec) => string;
type WriteOfNuspec = (nuspec: PackageRow['nuspec']) => string;

/**
 * The properties of an entry, in order: writers of what depends on the row, and between them the numbers of pieces that
 * depend on nothing but the nuspec, neighbours in one. Those are most of an entry and are made once for all the
 * versions that say the same (decision 16).
 */
const { pieces, nuspecPieces, filePieces } = makePieces();

function makePieces() {
  const pieces: (WriteOfRow | number)[] = [];
  const nuspecPieces: WriteOfNuspec[][] = [];
  /** Of files that a package may have in it; undefined from those that do, whose address is the row's own. */
  const filePieces: ((nuspec: PackageRow['nuspec']) => string | undefined)[] = [];
  for (const property of feedProperties.filter(({ atom }) => atom !== 'SyndicationUpdated')) {
    const { value } = property;
    if (typeof value === 'function') {
      pieces.push((row, links) => printElement(property, value(row, links)));
      continue;
    }
    if (typeof value === 'object' && 'file' in value) {
      const at = filePieces.push((nuspec) =>
        namedPath({ nuspec }, value.file) === undefined
          ? printElement(property, value.ofNuspec(nuspec))
          : undefined,
      );
      pieces.push(
        (row, links, said) => said.files[at - 1] ?? printElement(property, value.address(row, links.root)),
      );
      continue;
    }
    if (typeof pieces.at(-1) !== 'number') pieces.push(nuspecPieces.push([]) - 1);
    nuspecPieces
      .at(-1)
      ?.push(
        typeof value === 'object' && 'ofNuspec' in value
          ? (nuspec) => printElement(property, value.ofNuspec(nuspec))
          : () => printElement(property, value),
      );
  }
  return { pieces, nuspecPieces, filePieces };
}

type RenderedNuspec = {
  readonly summary: string;
  readonly author: string;
  readonly pieces: readonly string[];
  readonly files: readonly (string | undefined)[];
  readonly digest: string;
};
const rendered = new WeakMap<PackageRow['nuspec'], RenderedNuspec>();

function renderedNuspec(nuspec: PackageRow['nuspec']): RenderedNuspec {
  const known = rendered.get(nuspec);
  if (known !== undefined) return known;
  const summary = `<summary type="text">${escapeXml(nuspec.summary ?? '')}</summary>`;
  const author = `<author><name>${escapeXml(nuspec.authors)}</name></author>`;
  const texts = nuspecPieces.map((writers) => flat(writers.map((write) => write(nuspec)).join('')));
  const files = filePieces.map((write) => write(nuspec));
  const digest = hash('sha256', [summary, author, ...texts, ...files].join('\0'), 'base64url');
  const made = { summary, author, pieces: texts, files, digest };
  rendered.set(nuspec, made);
  return made;
}

/** V8 keeps a joined text as the tree of its parts; as one string it is half as large, and copied faster. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

function printElement({ name, type }: FeedProperty, value: PropertyValue): string {
  const start = type === 'Edm.String' ? `<d:${name}` : `<d:${name} m:type="${type}"`;
  return value === undefined || value === ''
    ? `${start} m:null="true"/>`
    : `${start}>${printValue(value)}</d:${name}>`;
}

function printValue(value: Exclude<PropertyValue, undefined>): string {
  if (typeof value === 'string') return escapeXml(value);
  return value instanceof Date ? dateTime(value) : String(value);
}

let lastTime = Number.NaN;
let lastText = '';

/** With zone: without one a client takes it for its own local time (spec nuget-v2 9.5). Of a row's dates most are the same. */
function dateTime(date: Date): string {
  const time = date.getTime();
  if (time !== lastTime) {
    lastText = date.toISOString();
    lastTime = time;
  }
  return lastText;
}
