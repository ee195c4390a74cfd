import type { Connection } from '../../database/connection.ts';
import type { Cost } from '../cost.ts';
import { conjunction, idOf } from '../one-id.ts';
import type { Expression, PackageQuery, QueryProperty } from '../query.ts';

/** The size of the catalog, as far as it decides where a query runs. */
export type Sizes = {
  readonly versions: number;
  readonly ids: number;
  /** Of all texts that a filter can read, each once. */
  readonly textBytes: number;
};

/** Tracked in memory. */
export type KnownSizes = { now(): Sizes; grow(ids: number, textBytes: number): void };

/** The longest that one query may block the main thread, where everybody waits for it. */
export const maxMainThreadNs = 2_000_000;
/** Longer queries let others go first. */
export const maxQuickNs = 100_000_000;

/** Measured: reading a row, one step, sorting a row, and SQLite's planning, which grows with the square of the steps. */
const rowNs = 300;
const stepNs = 40;
const sortedRowNs = 1000;
const planNs = 10;
/** The assumed number of versions of an id; few have more. */
const versionsOfOneId = 1000;
/** In a larger database the texts are not measured: all of it counts as text. */
const maxMeasuredBytes = 64 * 1024 ** 2;

/** `search` contains title, tags, summary and description. */
const longColumns = ['search', 'authors', 'owners', 'dependencies'];

export function longTextOf(texts: Readonly<Record<string, unknown>>): number {
  return longColumns.reduce((sum, column) => sum + String(texts[column] ?? '').length, 0);
}

/**
 * Reads the sizes once and adds what is published later. Nothing is subtracted: that only sends more queries to the other thread.
 */
export function readSizes({ prepare, onForeignChange }: Connection): KnownSizes {
  const number = (sql: string) => Number(prepare(sql).pluck().get());
  const bytes = number('PRAGMA page_count') * number('PRAGMA page_size');
  const lengths = longColumns.map((column) => `ifnull(octet_length(${column}), 0)`).join(' + ');
  let isOfBefore = false;
  let sizes: Sizes = {
    versions: number('SELECT count(*) FROM packages'),
    ids: number('SELECT count(*) FROM ids'),
    textBytes: bytes > maxMeasuredBytes ? bytes : number(`SELECT ifnull(sum(${lengths}), 0) FROM nuspecs`),
  };
  onForeignChange(({ tables }) => {
    if (tables.has('packages') || tables.has('ids')) isOfBefore = true;
  });

  /** After changes by others only rows are counted, for texts are read too slowly: those of a version are taken to stay as long. */
  function countAgain(): Sizes {
    const versions = number('SELECT count(*) FROM packages');
    const growth = Math.max(1, versions / Math.max(1, sizes.versions));
    return { versions, ids: number('SELECT count(*) FROM ids'), textBytes: sizes.textBytes * growth };
  }

  return {
    now() {
      if (isOfBefore) sizes = countAgain();
      isOfBefore = false;
      return sizes;
    },
    grow(ids, bytes) {
      sizes = {
        versions: sizes.versions + 1,
        ids: sizes.ids + ids,
        textBytes: sizes.textBytes + bytes,
      };
    },
  };
}

/** Which orders an index provides. */
const indexed: Readonly<Record<'ofOneId' | 'ofAll', readonly QueryProperty[]>> = {
  ofOneId: ['Version', 'NormalizedVersion'],
  ofAll: ['Id'],
};

/** An estimate of the query's duration, in nanoseconds, rather too long than too short. */
export function estimate(query: PackageQuery, { passes, steps }: Cost, sizes: Sizes): number {
  const { where, search = [], packageTypes, idsFirst, orderBy, skip, take } = query;
  const parts = conjunction(where);
  const isOneId = idOf(query) !== undefined;
  const candidates = Math.min(
    sizes.versions,
    isOneId ? versionsOfOneId : parts.some(isLatest) ? sizes.ids : Number.POSITIVE_INFINITY,
  );
  const [first] = orderBy;
  const isIndexed =
    idsFirst === undefined &&
    (first === undefined || indexed[isOneId ? 'ofOneId' : 'ofAll'].includes(first.by));
  // The index answers all conditions, so reading ends with the page.
  const endsEarly = isIndexed && search.length === 0 && packageTypes === undefined && parts.every(isLatest);
  const rows = endsEarly ? Math.min(candidates, skip + take) : candidates;
  return (
    rows * (rowNs + stepNs * steps + (isIndexed ? 0 : sortedRowNs)) +
    passes * sizes.textBytes +
    planNs * steps ** 2
  );
}

function isLatest(part: Expression): boolean {
  if (part.kind === 'compare' && part.operator === 'eq' && part.right.kind === 'boolean' && part.right.value)
    return isLatest(part.left);
  return (
    part.kind === 'property' && (part.name === 'IsLatestVersion' || part.name === 'IsAbsoluteLatestVersion')
  );
}
