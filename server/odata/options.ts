import { type Expression, type Order, type SemVerView, viewOfLevel } from '../catalog/query.ts';
import { fail } from '../errors.ts';
import { parseFilter } from './filter.ts';
import { findProperty } from './filter-types.ts';
import { type Parameters, unquote } from './parameters.ts';
import { readSkipToken, type SkipToken } from './skip-token.ts';

/** The options in a request's query, whatever the resource (spec nuget-v2 section 8). */
export type Options = {
  readonly view: SemVerView;
  readonly filter: Expression | undefined;
  readonly orderBy: readonly Order[];
  readonly skip: number;
  /** The row after which this page begins. */
  readonly after: SkipToken | undefined;
  readonly top: number | undefined;
  readonly wantsTotal: boolean;
  readonly includePrerelease: boolean;
};

/**
 * Options outside of this list are refused if supporting them would change the answer. `$select`, `$format` and `$expand` may be
 * ignored.
 */
const known = [
  '$filter',
  '$orderby',
  '$skip',
  '$skiptoken',
  '$top',
  '$inlinecount',
  '$select',
  '$format',
  '$expand',
];
const maxOrders = 10;

/** @throws FeedError QUERY_INVALID naming what is not understood: answering a different question is worse than refusing */
export function readOptions(parameters: Parameters): Options {
  for (const name of parameters.keys()) {
    if (name.startsWith('$') && !known.includes(name)) {
      fail('QUERY_INVALID', { problem: `${name} is not supported.` });
    }
  }
  const filter = parameters.get('$filter');
  const skipToken = parameters.get('$skiptoken');
  return {
    view: viewOfLevel(readText(parameters, 'semVerLevel')),
    filter: filter === undefined ? undefined : parseFilter(filter),
    orderBy: readOrders(parameters.get('$orderby')),
    skip: readNumber('$skip', parameters.get('$skip')) ?? 0,
    after: skipToken === undefined ? undefined : readSkipToken(skipToken),
    top: readNumber('$top', parameters.get('$top')),
    wantsTotal: readInlineCount(parameters.get('$inlinecount')),
    includePrerelease: readBoolean(parameters, 'includePrerelease'),
  };
}

/** A text parameter, without its quotes; absent is empty. */
export function readText(parameters: Parameters, name: string): string {
  return unquote(name, parameters.get(name.toLowerCase()) ?? '');
}

/** Absent or empty is false. */
export function readBoolean(parameters: Parameters, name: string): boolean {
  const text = readText(parameters, name).toLowerCase();
  if (text !== 'true' && text !== 'false' && text !== '') {
    fail('QUERY_INVALID', { problem: `${name} must be true or false, not ${JSON.stringify(text)}.` });
  }
  return text === 'true';
}

function readNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number)) {
    fail('QUERY_INVALID', { problem: `${name} must be a whole number from 0, not ${JSON.stringify(text)}.` });
  }
  return number;
}

function readInlineCount(text = 'none'): boolean {
  const lower = text.trim().toLowerCase();
  if (lower !== 'allpages' && lower !== 'none') {
    fail('QUERY_INVALID', { problem: `$inlinecount must be allpages or none, not ${JSON.stringify(text)}.` });
  }
  return lower === 'allpages';
}

/** `DownloadCount desc,Id` */
function readOrders(text: string | undefined): readonly Order[] {
  if (text === undefined) return [];
  const orders = text.split(',').map(readOrder);
  if (orders.length > maxOrders)
    fail('QUERY_INVALID', { problem: `$orderby has more than ${maxOrders} columns.` });
  // A repeated property orders nothing, but a database would still copy it.
  return orders.filter(({ by }, at) => orders.findIndex((other) => other.by === by) === at);
}

function readOrder(text: string): Order {
  const [, name = '', direction = 'asc'] = /^\s*(\w+)(?:\s+(asc|desc))?\s*$/i.exec(text) ?? [];
  const by = findProperty(name);
  if (by === undefined) {
    fail('QUERY_INVALID', {
      problem: `$orderby: ${JSON.stringify(text)} is not a property, with asc or desc.`,
    });
  }
  return { by, descending: direction.toLowerCase() === 'desc' };
}
