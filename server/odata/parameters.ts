import { fail } from '../errors.ts';

/** A decoded query string. Names are in lower case; values keep their quotes. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * Parses a raw query string (without `?`) in all forms that clients use: `+` is a blank, in quotes what `plusSign` says, names
 * may be escaped (`%24filter`, PSResourceGet), brackets have no meaning (spec nuget-v2 section 11: `qs` would make an array of
 * `versionConstraints=[1,2]`).
 * @throws FeedError QUERY_INVALID for broken escapes and for a name with two different values, one of which would be ignored
 */
export function parseParameters(rawQuery: string, plusSign: ' ' | '+' = ' '): Parameters {
  const found = new Map<string, string>();
  for (const [name, value] of rawPairs(rawQuery)) {
    const text = decode(value, plusSign);
    const before = found.get(name);
    if (before !== undefined && before !== text) {
      fail('QUERY_INVALID', { problem: `${name} is given twice with different values.` });
    }
    found.set(name, text);
  }
  return found;
}

/**
 * The same query with some parameters replaced or removed: the others stay exactly as the client spelled them, since NuGet.Client
 * uses a next link unmodified (spec nuget-v2 9.7).
 */
export function replaceParameters(
  rawQuery: string,
  changes: Readonly<Record<string, string | number | undefined>>,
): string {
  const kept = rawQuery.split('&').filter((pair) => pair !== '' && !(nameOf(pair) in changes));
  const added = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return [...kept, ...added].join('&');
}

/** The value of a function parameter: `'it''s'`, or without quotes as scripts write it. */
export function unquote(name: string, value: string): string {
  const text = value.trim();
  if (!text.startsWith("'")) return text;
  if (text.length < 2 || !text.endsWith("'"))
    fail('QUERY_INVALID', { problem: `${name} has no closing quote.` });
  return text.slice(1, -1).replaceAll("''", "'");
}

function* rawPairs(rawQuery: string): Generator<readonly [name: string, value: string]> {
  for (const pair of rawQuery.split('&')) {
    const equals = pair.indexOf('=');
    if (pair !== '') yield [nameOf(pair), equals < 0 ? '' : pair.slice(equals + 1)];
  }
}

function nameOf(pair: string): string {
  return decode(pair.split('=', 1)[0] ?? '', ' ')
    .trim()
    .toLowerCase();
}

function decode(text: string, plusSign: ' ' | '+'): string {
  try {
    return decodeURIComponent(text.includes('+') ? withoutPlus(text, plusSign) : text);
  } catch {
    return fail('QUERY_INVALID', {
      problem: 'it has a percent sign that does not begin an escape of UTF-8 text.',
    });
  }
}

/** Expressions have no plus sign of their own: outside of quotes it is always a blank. */
function withoutPlus(text: string, plusSign: ' ' | '+'): string {
  let isQuoted = false;
  return text.replaceAll(/'|%27|\+/g, (sign) => {
    if (sign === '+') return encodeURIComponent(isQuoted ? plusSign : ' ');
    isQuoted = !isQuoted;
    return sign;
  });
}
