import { type SemVerView, viewOfLevel } from '../catalog/query.ts';
import { fail } from '../errors.ts';

/** The decoded query string of a v3 request; names in any case. */
export type Parameters = {
  /** @throws FeedError QUERY_INVALID when it is given twice with different values, one of which would be ignored */
  text(name: string): string;
  /** Every value, as often as the name is given. */
  texts(name: string): readonly string[];
  has(name: string): boolean;
  /** Absent or empty is false. */
  isTrue(name: string): boolean;
  /** A whole number from 0; absent is the fallback. */
  number(name: string, fallback: number): number;
  /** The view that `semVerLevel` selects, by the same rule as on v2 (spec nuget-v2 12.3, 18.1). */
  readonly view: SemVerView;
};

/**
 * Parses the query of an address. Only used parameters are checked, so that no other one breaks an answer: Visual Studio sends
 * one `supportedFramework` for each framework of a solution (spec nuget-v2 18.3). Every method throws FeedError QUERY_INVALID
 * when its value is malformed.
 * @param plus the meaning of a raw plus sign: a blank, except from clients that never write blanks that way (`http/plus-sign.ts`)
 */
export function readParameters(url: string, plus: ' ' | '+' = ' '): Parameters {
  const values = valuesOf(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '', plus);
  const texts = (name: string) => (values.get(name.toLowerCase()) ?? []).map((raw) => decode(name, raw));
  const text = (name: string) => {
    const [first = '', ...others] = texts(name);
    if (others.some((other) => other !== first)) {
      fail('QUERY_INVALID', { problem: `${JSON.stringify(name)} is given twice with different values.` });
    }
    return first;
  };
  return {
    text,
    texts,
    has: (name) => values.has(name.toLowerCase()),
    isTrue: (name) => readBoolean(name, text(name)),
    number: (name, fallback) => readNumber(name, text(name)) ?? fallback,
    get view() {
      return viewOfLevel(text('semVerLevel').replace(/^'(.*)'$/, '$1'));
    },
  };
}

/** Name -> its values, still escaped. */
function valuesOf(rawQuery: string, plus: ' ' | '+'): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const pair of rawQuery.split('&')) {
    const [, rawName = '', rawValue = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    const name = unescaped(rawName)?.toLowerCase();
    if (!name) continue;
    const values = found.get(name) ?? [];
    found.set(name, values);
    values.push(rawValue.replaceAll('+', plus === '+' ? '%2B' : '%20'));
  }
  return found;
}

function decode(name: string, raw: string): string {
  const problem = `${name} has a percent sign that does not begin an escape of UTF-8 text.`;
  return unescaped(raw) ?? fail('QUERY_INVALID', { problem });
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
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
