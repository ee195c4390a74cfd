import { type SemVerView, viewOfLevel } from '../catalog/query.ts';
import { fail } from '../errors.ts';

/** The query string of a v3 request, decoded; names whatever their case. */
export type Parameters = {
  text(name: string): string;
  has(name: string): boolean;
  /** Absent or empty is false. */
  isTrue(name: string): boolean;
  /** A whole number from 0; absent is the fallback. */
  number(name: string, fallback: number): number;
  /** What `semVerLevel` lets the client see, by the same rule as on v2 (spec nuget-v2 12.3, 18.1). */
  readonly view: SemVerView;
};

/**
 * Reads the query of an address; parameters without a meaning here (`packageType`, `supportedFramework`) are passed over.
 * @throws FeedError QUERY_INVALID for broken escapes, and for a name with two values: one of them would be ignored
 */
export function readParameters(url: string): Parameters {
  const values = valuesOf(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');
  const text = (name: string) => values.get(name.toLowerCase()) ?? '';
  return {
    text,
    has: (name) => values.has(name.toLowerCase()),
    isTrue: (name) => readBoolean(name, text(name)),
    number: (name, fallback) => readNumber(name, text(name)) ?? fallback,
    get view() {
      return viewOfLevel(text('semVerLevel').replace(/^'(.*)'$/, '$1'));
    },
  };
}

function valuesOf(rawQuery: string): ReadonlyMap<string, string> {
  requireReadable(rawQuery);
  const found = new Map<string, string>();
  for (const [spelled, value] of new URLSearchParams(rawQuery)) {
    const name = spelled.toLowerCase();
    if ((found.get(name) ?? value) !== value) {
      fail('QUERY_INVALID', { problem: `${JSON.stringify(name)} is given twice with different values.` });
    }
    found.set(name, value);
  }
  return found;
}

/** URLSearchParams would make other characters of what encodes nothing. */
function requireReadable(rawQuery: string): void {
  try {
    decodeURIComponent(rawQuery);
  } catch {
    fail('QUERY_INVALID', { problem: 'it has a percent sign that does not begin an escape of UTF-8 text.' });
  }
}

function readBoolean(name: string, text: string): boolean {
  const lower = text.trim().toLowerCase();
  if (!['true', 'false', ''].includes(lower)) {
    fail('QUERY_INVALID', { problem: `${name} must be true or false, not ${JSON.stringify(text)}.` });
  }
  return lower === 'true';
}

function readNumber(name: string, text: string): number | undefined {
  if (text === '') return undefined;
  if (!/^\d{1,10}$/.test(text)) {
    fail('QUERY_INVALID', { problem: `${name} must be a whole number from 0, not ${JSON.stringify(text)}.` });
  }
  return Number(text);
}
