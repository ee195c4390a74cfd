import type { PackageRow } from '../catalog/catalog.ts';
import type { FeedLinks } from './links.ts';
import { type FeedProperty, feedProperties, type PropertyValue } from './properties.ts';
import { entityName, escapeXml, namespaces, schemaName, xmlDeclaration } from './xml.ts';

export type Feed = {
  /** `Packages`, `Search`, ... */
  readonly title: string;
  readonly rows: readonly PackageRow[];
  /** How many there are in all, when the client asked (`$inlinecount=allpages`). */
  readonly total?: number | undefined;
  /** Absolute: NuGet.Client follows it unmodified (spec nuget-v2 9.7). */
  readonly next?: string | undefined;
};

/** A feed document (spec nuget-v2 9.3). */
export function renderFeed({ title, rows, total, next }: Feed, links: FeedLinks): string {
  // By the rows and not by the clock: the same answer has the same ETag.
  const updated = new Date(rows.reduce((newest, row) => Math.max(newest, row.lastEdited.getTime()), 0));
  let text = `${xmlDeclaration}<feed ${declarations(links)}>`;
  if (total !== undefined) text += `<m:count>${total}</m:count>`;
  text += `<title type="text">${title}</title><id>${escapeXml(`${links.base}/${title}`)}</id>`;
  text += `<updated>${dateTime(updated)}</updated><link rel="self" title="${title}" href="${title}"/>`;
  for (const row of rows) text += `<entry>${renderContent(row, links)}</entry>`;
  if (next !== undefined) text += `<link rel="next" href="${escapeXml(next)}"/>`;
  return `${text}</feed>`;
}

/** The document of one package version (spec nuget-v2 9.4). */
export function renderEntry(row: PackageRow, links: FeedLinks): string {
  return `${xmlDeclaration}<entry ${declarations(links)}>${renderContent(row, links)}</entry>`;
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
  const { summary = '', authors } = row.nuspec;
  return (
    `<id>${escapeXml(links.base)}/${entry}</id>${category}` +
    `<link rel="edit" title="${entityName}" href="${entry}"/>` +
    `<link rel="edit-media" title="${entityName}" href="${entry}/$value"/>` +
    `<link rel="self" title="${entityName}" href="${entry}"/>` +
    `<title type="text">${escapeXml(row.id)}</title><summary type="text">${escapeXml(summary)}</summary>` +
    `<updated>${dateTime(row.lastEdited)}</updated><author><name>${escapeXml(authors)}</name></author>` +
    `<content type="application/zip" src="${escapeXml(links.download(row.id, row.normalizedVersion))}"/>` +
    `<m:properties>${renderProperties(row, links)}</m:properties>`
  );
}

type Writer = (row: PackageRow, links: FeedLinks) => string;

/**
 * One writer a property, made once: a row then costs only the text of its own values. Neighbours that are the same in
 * every row are one text.
 */
const writers: readonly Writer[] = makeWriters();

function makeWriters(): Writer[] {
  const made: Writer[] = [];
  let fixed = '';
  const endFixed = () => {
    const text = fixed;
    if (text !== '') made.push(() => text);
    fixed = '';
  };
  for (const property of feedProperties.filter(({ atom }) => atom !== 'SyndicationUpdated')) {
    const { value } = property;
    const write = elementWriter(property);
    if (typeof value === 'function') {
      endFixed();
      made.push((row, links) => write(value(row, links)));
    } else fixed += write(value);
  }
  endFixed();
  return made;
}

function renderProperties(row: PackageRow, links: FeedLinks): string {
  let text = '';
  for (const write of writers) text += write(row, links);
  return text;
}

function elementWriter({ name, type }: FeedProperty): (value: PropertyValue) => string {
  const start = type === 'Edm.String' ? `<d:${name}` : `<d:${name} m:type="${type}"`;
  const open = `${start}>`;
  const close = `</d:${name}>`;
  const absent = `${start} m:null="true"/>`;
  // The versions of a package share most values, and stand one after the other: what was written last is at hand.
  let lastValue: PropertyValue;
  let lastText = absent;
  return (value) => {
    const plain = value instanceof Date ? value.getTime() : value;
    if (plain !== lastValue) {
      lastText = value === undefined || value === '' ? absent : open + printValue(value) + close;
      lastValue = plain;
    }
    return lastText;
  };
}

function printValue(value: Exclude<PropertyValue, undefined>): string {
  if (typeof value === 'string') return escapeXml(value);
  return value instanceof Date ? dateTime(value) : String(value);
}

/** With zone: without one a client takes it for its own local time (spec nuget-v2 9.5). */
function dateTime(date: Date): string {
  return date.toISOString();
}
