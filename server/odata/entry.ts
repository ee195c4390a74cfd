import { hash } from 'node:crypto';
import type { PackageRow } from '../catalog/catalog.ts';
import { namedPath } from '../feed/shown-addresses.ts';
import type { Part } from '../http/body.ts';
import { createPartCache, fill, type PartCache } from '../http/part-cache.ts';
import type { FeedLinks } from './links.ts';
import {
  type FeedProperty,
  feedProperties,
  type PropertyValue,
  shownCount,
  shownPublished,
} from './properties.ts';
import { dateTime, entityName, escapeXml, namespaces, schemaName } from './xml.ts';

export type Entry = {
  readonly content: Part;
  /** Everything from the row that the entry shows: equal exactly when its content is equal. Excludes the base of its links. */
  readonly identity: string;
};

/** Enough for the newest versions of two thousand ids. */
const maxKeptBytes = 10 * 1024 ** 2;
const kept = createPartCache(maxKeptBytes);

/**
 * For a walk through the whole catalog, which would replace the entries that searches show and keep its own in memory until the
 * end.
 */
export const uncached: Pick<PartCache, 'get'> = {
  get: (_key, filling, render) => Buffer.from(fill(render(), filling)),
};

/**
 * The entry of one version (spec nuget-v2 9.4), without the declarations that only a separate document has. The newest version's
 * entry, which all searches show, is rendered once and split where the request's base and the counts appear, so that a download
 * makes nothing stale. Older versions are requested by id, and those responses are cached whole.
 */
export function entryOf(row: PackageRow, links: FeedLinks, cache: Pick<PartCache, 'get'> = kept): Entry {
  const said = renderedNuspec(row.nuspec);
  const facts = factsOf(row, said);
  const base = escapeXml(links.base);
  const filling = [base, base];
  let identity = facts;
  for (const name of countNames) {
    const shown = String(shownCount(row[name]));
    filling.push(shown);
    identity += ` ${shown}`;
  }
  const isNewest = row.isLatest || row.isAbsoluteLatest;
  const content = isNewest
    ? cache.get(`${links.root}${links.client} ${facts}`, filling, () =>
        splitAtGaps(textsOf(row, links, said)),
      )
    : textsOf(row, links, said, filling).join('');
  return { content, identity };
}

/** The row's facts that an entry is rendered from, besides its links and counts; the rendered nuspec has its own digest. */
function factsOf(row: PackageRow, said: RenderedNuspec): string {
  const flags =
    (row.isLatest ? 1 : 0) +
    (row.isAbsoluteLatest ? 2 : 0) +
    (row.isPrerelease ? 4 : 0) +
    (row.isListed ? 8 : 0);
  return `${row.id} ${row.version} ${row.normalizedVersion} ${row.sizeBytes} ${row.sha512} ${row.created.getTime()} ${shownPublished(row).getTime()} ${row.lastEdited.getTime()} ${flags} ${said.digest}`;
}

const category = `<category term="${schemaName}.${entityName}" scheme="${namespaces.scheme}"/>`;

/** Marks a gap where nothing is filled in. */
const gap = '\0';

/**
 * The entry as a list of texts. `Array.join` makes one text of many without garbage; `+` would leave a tree of them, which is flattened
 * only when it is sent. `content` is a self-closing tag: WCF refuses an end tag (spec nuget-v2 section 15, trap 5). `m:properties` comes
 * after it (9.4).
 * @param filling the texts for the gaps
 */
function textsOf(
  row: PackageRow,
  links: FeedLinks,
  said: RenderedNuspec,
  filling: readonly string[] = [],
): string[] {
  const entry = escapeXml(links.entry(row.id, row.version));
  const texts = [
    '<entry><id>',
    filling[0] ?? gap,
    '/',
    entry,
    `</id>${category}<link rel="edit" title="${entityName}" href="`,
    entry,
    `"/><link rel="edit-media" title="${entityName}" href="`,
    entry,
    `/$value"/><link rel="self" title="${entityName}" href="`,
    entry,
    '"/><title type="text">',
    escapeXml(row.id),
    '</title>',
    said.summary,
    '<updated>',
    dateTime(row.lastEdited),
    '</updated>',
    said.author,
    '<content type="application/zip" src="',
    filling[1] ?? gap,
    '/',
    escapeXml(links.package(row.id, row.normalizedVersion)),
    '"/><m:properties>',
  ];
  let gaps = 2;
  for (const piece of pieces) {
    if (piece === count) texts.push(filling[gaps++] ?? gap);
    else if (typeof piece === 'number') texts.push(said.pieces[piece] ?? '');
    else piece(texts, row, links, said);
  }
  texts.push('</m:properties></entry>');
  return texts;
}

function splitAtGaps(texts: readonly string[]): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (const [at, text] of texts.entries()) {
    if (text !== gap) continue;
    pieces.push(texts.slice(start, at).join(''));
    start = at + 1;
  }
  return [...pieces, texts.slice(start).join('')];
}

type WriteOfRow = (texts: string[], row: PackageRow, links: FeedLinks, said: RenderedNuspec) => void;
type WriteOfNuspec = (nuspec: PackageRow['nuspec']) => string;

/** Marks the position of a count. */
const count = 'count';
/** In the order in which they appear. */
const countNames = feedProperties.flatMap(({ value }) =>
  typeof value === 'object' && 'count' in value ? [value.count] : [],
);

const tags = new Map<FeedProperty, { readonly start: string; readonly end: string }>();

/**
 * The properties of an entry, in order: functions for what depends on the row, positions of counts, and between them the numbers
 * of pieces that only depend on the nuspec, with neighbours merged. The latter are most of an entry and are made once for all
 * versions with equal texts (decision 16).
 */
const { pieces, nuspecPieces, filePieces } = makePieces();

function makePieces() {
  const pieces: (WriteOfRow | number | typeof count)[] = [];
  const nuspecPieces: WriteOfNuspec[][] = [];
  /** Files that a package may contain; undefined if the package has the file, because the address then depends on the row. */
  const filePieces: ((nuspec: PackageRow['nuspec']) => string | undefined)[] = [];
  const pushOfNuspec = (write: WriteOfNuspec): void => {
    if (typeof pieces.at(-1) !== 'number') pieces.push(nuspecPieces.push([]) - 1);
    nuspecPieces.at(-1)?.push(write);
  };
  for (const property of feedProperties.filter(({ atom }) => atom !== 'SyndicationUpdated')) {
    const { value } = property;
    if (typeof value === 'function') {
      pieces.push((texts, row, links) => printElement(property, value(row, links), texts));
    } else if (typeof value === 'object' && 'count' in value) {
      const { start, end } = tagsOf(property);
      pushOfNuspec(() => start);
      pieces.push(count);
      pushOfNuspec(() => end);
    } else if (typeof value === 'object' && 'file' in value) {
      const at = filePieces.push((nuspec) =>
        namedPath({ nuspec }, value.file) === undefined
          ? elementOf(property, value.ofNuspec(nuspec))
          : undefined,
      );
      pieces.push((texts, row, links, said) => {
        const ofNuspec = said.files[at - 1];
        if (ofNuspec === undefined)
          printElement(property, value.address(row, links.root, links.client), texts);
        else texts.push(ofNuspec);
      });
    } else if (typeof value === 'object' && 'ofNuspec' in value) {
      pushOfNuspec((nuspec) => elementOf(property, value.ofNuspec(nuspec)));
    } else {
      const element = elementOf(property, value);
      pushOfNuspec(() => element);
    }
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

/** V8 keeps a joined text as a tree of its parts; a flat string takes half the memory and is copied faster. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

function elementOf(property: FeedProperty, value: PropertyValue): string {
  const texts: string[] = [];
  printElement(property, value, texts);
  return texts.join('');
}

function printElement(property: FeedProperty, value: PropertyValue, texts: string[]): void {
  const { start, end } = tagsOf(property);
  if (value === undefined || value === '') texts.push(start.slice(0, -1), ' m:null="true"/>');
  else texts.push(start, printValue(value), end);
}

function tagsOf(property: FeedProperty): { readonly start: string; readonly end: string } {
  let known = tags.get(property);
  if (known === undefined) {
    const { name, type } = property;
    const start = type === 'Edm.String' ? `<d:${name}>` : `<d:${name} m:type="${type}">`;
    known = { start, end: `</d:${name}>` };
    tags.set(property, known);
  }
  return known;
}

function printValue(value: Exclude<PropertyValue, undefined>): string {
  if (typeof value === 'string') return escapeXml(value);
  return value instanceof Date ? dateTime(value) : String(value);
}
