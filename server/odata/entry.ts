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
  const render = (): string[] => renderPieces(row, links, said);
  const content =
    row.isLatest || row.isAbsoluteLatest
      ? cache.get(`${links.root} ${facts}`, filling, render)
      : fill(render(), filling);
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

/**
 * `content` is a self-closing tag: WCF refuses an end tag (spec nuget-v2 section 15, trap 5). `m:properties` comes after it
 * (9.4).
 */
function renderPieces(row: PackageRow, links: FeedLinks, said: RenderedNuspec): string[] {
  const entry = escapeXml(links.entry(row.id, row.version));
  const rendered = ['<entry><id>'];
  let text =
    `/${entry}</id>${category}` +
    `<link rel="edit" title="${entityName}" href="${entry}"/>` +
    `<link rel="edit-media" title="${entityName}" href="${entry}/$value"/>` +
    `<link rel="self" title="${entityName}" href="${entry}"/>` +
    `<title type="text">${escapeXml(row.id)}</title>${said.summary}` +
    `<updated>${dateTime(row.lastEdited)}</updated>${said.author}` +
    `<content type="application/zip" src="`;
  rendered.push(text);
  text = `/${escapeXml(links.package(row.id, row.normalizedVersion))}"/><m:properties>`;
  for (const piece of pieces) {
    if (piece === count) {
      rendered.push(text);
      text = '';
    } else text += typeof piece === 'function' ? piece(row, links, said) : (said.pieces[piece] ?? '');
  }
  rendered.push(`${text}</m:properties></entry>`);
  return rendered;
}

type WriteOfRow = (row: PackageRow, links: FeedLinks, said: RenderedNuspec) => string;
type WriteOfNuspec = (nuspec: PackageRow['nuspec']) => string;

/** Marks the position of a count. */
const count = 'count';
/** In the order in which they appear. */
const countNames = feedProperties.flatMap(({ value }) =>
  typeof value === 'object' && 'count' in value ? [value.count] : [],
);

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
    const { name, value } = property;
    if (typeof value === 'function') {
      pieces.push((row, links) => printElement(property, value(row, links)));
    } else if (typeof value === 'object' && 'count' in value) {
      pushOfNuspec(() => startTag(property));
      pieces.push(count);
      pushOfNuspec(() => `</d:${name}>`);
    } else if (typeof value === 'object' && 'file' in value) {
      const at = filePieces.push((nuspec) =>
        namedPath({ nuspec }, value.file) === undefined
          ? printElement(property, value.ofNuspec(nuspec))
          : undefined,
      );
      pieces.push(
        (row, links, said) => said.files[at - 1] ?? printElement(property, value.address(row, links.root)),
      );
    } else {
      pushOfNuspec(
        typeof value === 'object' && 'ofNuspec' in value
          ? (nuspec) => printElement(property, value.ofNuspec(nuspec))
          : () => printElement(property, value),
      );
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

function printElement(property: FeedProperty, value: PropertyValue): string {
  return value === undefined || value === ''
    ? `${startTag(property).slice(0, -1)} m:null="true"/>`
    : `${startTag(property)}${printValue(value)}</d:${property.name}>`;
}

const startTags = new Map<FeedProperty, string>();

function startTag(property: FeedProperty): string {
  let tag = startTags.get(property);
  if (tag === undefined) {
    const { name, type } = property;
    tag = type === 'Edm.String' ? `<d:${name}>` : `<d:${name} m:type="${type}">`;
    startTags.set(property, tag);
  }
  return tag;
}

function printValue(value: Exclude<PropertyValue, undefined>): string {
  if (typeof value === 'string') return escapeXml(value);
  return value instanceof Date ? dateTime(value) : String(value);
}
