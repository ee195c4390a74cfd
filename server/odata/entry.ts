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
  /** All of a row that it shows: equal when its content is equal, and only then. The base of its links is not in it. */
  readonly identity: string;
};

/** Those of the newest versions of two thousand ids. */
const maxKeptBytes = 10 * 1024 ** 2;
const kept = createPartCache(maxKeptBytes);

/** For a walk through the whole catalog, which would throw out what searches show and hold its memory until the end. */
export const unkept: Pick<PartCache, 'get'> = {
  get: (_key, filling, render) => Buffer.from(fill(render(), filling)),
};

/**
 * The entry of one version (spec nuget-v2 9.4), without the declarations that only a document of its own has. That of the newest,
 * which all searches show, is rendered once, cut where the base of the request and the counts stand: a download makes nothing
 * stale. Older versions are asked for by their id, and those responses are kept whole.
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

/** What an entry is rendered from, beside its links and counts; the rendering of the nuspec has a digest of its own. */
function factsOf(row: PackageRow, said: RenderedNuspec): string {
  const flags =
    (row.isLatest ? 1 : 0) +
    (row.isAbsoluteLatest ? 2 : 0) +
    (row.isPrerelease ? 4 : 0) +
    (row.isListed ? 8 : 0);
  return `${row.id} ${row.version} ${row.normalizedVersion} ${row.sizeBytes} ${row.sha512} ${row.created.getTime()} ${shownPublished(row).getTime()} ${row.lastEdited.getTime()} ${flags} ${said.digest}`;
}

const category = `<category term="${schemaName}.${entityName}" scheme="${namespaces.scheme}"/>`;

/** `content` closes itself: WCF refuses an end tag (spec nuget-v2 section 15, trap 5). `m:properties` stands beside it (9.4). */
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

/** Where a count stands. */
const count = 'count';
/** In the order in which they stand. */
const countNames = feedProperties.flatMap(({ value }) =>
  typeof value === 'object' && 'count' in value ? [value.count] : [],
);

/**
 * The properties of an entry, in order: writers of what depends on the row, the places of counts, and between them the numbers of
 * pieces that depend on nothing but the nuspec, neighbours in one. Those are most of an entry and are made once for all the
 * versions that say the same (decision 16).
 */
const { pieces, nuspecPieces, filePieces } = makePieces();

function makePieces() {
  const pieces: (WriteOfRow | number | typeof count)[] = [];
  const nuspecPieces: WriteOfNuspec[][] = [];
  /** Of files that a package may have in it; undefined from those that do, whose address is the row's own. */
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

/** V8 keeps a joined text as the tree of its parts; as one string it is half as large, and copied faster. */
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
