import type { PackageRow } from '../catalog/catalog.ts';
import type { Part } from '../http/body.ts';
import { createPartCache, fill, type PartCache } from '../http/part-cache.ts';
import { countNames, type EntryForm, entryTexts, formOf, gap } from './entry-form.ts';
import type { FeedLinks } from './links.ts';
import { shownCount, shownPublished } from './properties.ts';
import { escapeXml } from './xml.ts';

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
  const form = formOf(row, links);
  const facts = factsOf(row, form);
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
        splitAtGaps(entryTexts(form, row, links)),
      )
    : entryTexts(form, row, links, filling).join('');
  return { content, identity };
}

/** The row's facts that an entry is rendered from, besides its links and counts; what its form says has a digest of its own. */
function factsOf(row: PackageRow, form: EntryForm): string {
  const flags =
    (row.isLatest ? 1 : 0) +
    (row.isAbsoluteLatest ? 2 : 0) +
    (row.isPrerelease ? 4 : 0) +
    (row.isListed ? 8 : 0);
  return `${row.id} ${row.version} ${row.normalizedVersion} ${row.sizeBytes} ${row.sha512} ${row.created.getTime()} ${shownPublished(row).getTime()} ${row.lastEdited.getTime()} ${flags} ${form.digest}`;
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
