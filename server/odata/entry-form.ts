import { hash } from 'node:crypto';
import type { PackageRow } from '../catalog/catalog.ts';
import { namedPath } from '../feed/shown-addresses.ts';
import type { FeedLinks } from './links.ts';
import { type FeedProperty, feedProperties, type OfFile, type PropertyValue } from './properties.ts';
import { dateTime, entityName, escapeXml, namespaces, schemaName } from './xml.ts';

/**
 * What the entries of all versions with one nuspec have in common: most of their text. Only what differs is printed for each, and put
 * between these texts.
 */
export type EntryForm = {
  /** One more than there are slots. */
  readonly texts: readonly string[];
  readonly slots: readonly Slot[];
  /** Equal exactly when the form is. */
  readonly digest: string;
  readonly id: string;
  readonly root: string;
};

/** Prints what goes between two texts of a form; `entry` is the address of the entry. Undefined: a gap. */
type Slot = ((row: PackageRow, links: FeedLinks, entry: string) => string) | undefined;

/** Marks a gap where nothing is filled in. */
export const gap = '\0';

/** The counts in gaps, in the order in which they appear. The gaps before them are for the base of links, twice. */
export const countNames = feedProperties.flatMap(({ value }) =>
  typeof value === 'object' && 'count' in value ? [value.count] : [],
);

const forms = new WeakMap<PackageRow['nuspec'], EntryForm>();

export function formOf({ id, nuspec }: PackageRow, links: FeedLinks): EntryForm {
  const known = forms.get(nuspec);
  // Other ids rarely say exactly the same.
  if (known !== undefined && known.id === id && known.root === links.root) return known;
  const form = makeForm(id, nuspec, links);
  forms.set(nuspec, form);
  return form;
}

/**
 * The entry of a version as a list of texts. `Array.join` makes one text of many without garbage; `+` would leave a tree of them, which
 * is flattened only when it is sent.
 * @param filling the texts for the gaps
 */
export function entryTexts(
  { texts, slots }: EntryForm,
  row: PackageRow,
  links: FeedLinks,
  filling: readonly string[] = [],
): string[] {
  const entry = escapeXml(links.entry(row.id, row.version));
  const all = [texts[0] ?? ''];
  let gaps = 0;
  for (let at = 0; at < slots.length; at++) {
    const slot = slots[at];
    all.push(slot === undefined ? (filling[gaps++] ?? gap) : slot(row, links, entry), texts[at + 1] ?? '');
  }
  return all;
}

type OfForm = (nuspec: PackageRow['nuspec'], id: string, links: FeedLinks) => string;
/** A piece of every form: a text, one for each form, a slot, or the address of a file that is a slot only if the package has the file. */
type Piece = string | { readonly print: OfForm } | { readonly slot: Slot } | { readonly file: FileProperty };
type FileProperty = { readonly property: FeedProperty; readonly value: OfFile };

const entryAddress: Piece = { slot: (_row, _links, entry) => entry };
const base: Piece = { slot: undefined };

/** `content` is a self-closing tag: WCF refuses an end tag (spec nuget-v2 section 15, trap 5). `m:properties` comes after it (9.4). */
const pieces: readonly Piece[] = [
  '<entry><id>',
  base,
  '/',
  entryAddress,
  `</id><category term="${schemaName}.${entityName}" scheme="${namespaces.scheme}"/>`,
  `<link rel="edit" title="${entityName}" href="`,
  entryAddress,
  `"/><link rel="edit-media" title="${entityName}" href="`,
  entryAddress,
  `/$value"/><link rel="self" title="${entityName}" href="`,
  entryAddress,
  '"/><title type="text">',
  { print: (_nuspec, id) => escapeXml(id) },
  '</title><summary type="text">',
  { print: ({ summary }) => escapeXml(summary ?? '') },
  '</summary><updated>',
  { slot: ({ lastEdited }) => dateTime(lastEdited) },
  '</updated><author><name>',
  { print: ({ authors }) => escapeXml(authors) },
  '</name></author><content type="application/zip" src="',
  base,
  '/',
  { slot: ({ id, normalizedVersion }, links) => escapeXml(links.package(id, normalizedVersion)) },
  '"/><m:properties>',
  ...feedProperties.filter(({ atom }) => atom !== 'SyndicationUpdated').flatMap(piecesOf),
  '</m:properties></entry>',
];

function piecesOf(property: FeedProperty): readonly Piece[] {
  const { value } = property;
  const { start, end } = tagsOf(property);
  if (typeof value === 'function') return [start, { slot: (row) => printValue(value(row)) }, end];
  if (typeof value !== 'object' || value instanceof Date) return [elementOf(property, value)];
  if ('count' in value) return [start, { slot: undefined }, end];
  if ('file' in value) return [{ file: { property, value } }];
  if ('ofId' in value) return [{ print: (_nuspec, id, links) => elementOf(property, value.ofId(id, links)) }];
  return [{ print: (nuspec) => elementOf(property, value.ofNuspec(nuspec)) }];
}

function makeForm(id: string, nuspec: PackageRow['nuspec'], links: FeedLinks): EntryForm {
  const texts: string[] = [];
  const slots: Slot[] = [];
  let text: string[] = [];
  const add = (slot: Slot): void => {
    texts.push(text.join(''));
    slots.push(slot);
    text = [];
  };
  for (const piece of pieces) {
    if (typeof piece === 'string') text.push(piece);
    else if ('print' in piece) text.push(piece.print(nuspec, id, links));
    else if ('slot' in piece) add(piece.slot);
    else if (namedPath({ nuspec }, piece.file.value.file) === undefined) {
      text.push(elementOf(piece.file.property, piece.file.value.ofNuspec(nuspec)));
    } else {
      const { property, value } = piece.file;
      const { start, end } = tagsOf(property);
      text.push(start);
      add((row, { root, client }) => escapeXml(value.address(row, root, client) ?? ''));
      text.push(end);
    }
  }
  texts.push(text.join(''));
  return { texts, slots, digest: hash('sha256', texts.join(gap), 'base64url'), id, root: links.root };
}

function elementOf(property: FeedProperty, value: PropertyValue): string {
  const { start, end } = tagsOf(property);
  return value === undefined || value === ''
    ? `${start.slice(0, -1)} m:null="true"/>`
    : `${start}${printValue(value)}${end}`;
}

function tagsOf({ name, type }: FeedProperty): { readonly start: string; readonly end: string } {
  const start = type === 'Edm.String' ? `<d:${name}>` : `<d:${name} m:type="${type}">`;
  return { start, end: `</d:${name}>` };
}

function printValue(value: Exclude<PropertyValue, undefined>): string {
  if (typeof value === 'string') return escapeXml(value);
  return value instanceof Date ? dateTime(value) : String(value);
}
