import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claims } from '../../../server/trust/id-token.ts';
import { misfitOf, publishersOf } from '../../../server/trust/match.ts';
import type { Publisher } from '../../../server/trust/trust.ts';

const now = new Date('2026-01-01T00:00:00Z');

/** Few letters, so that texts often differ only in a letter's case, a blank or a slash, and are often equal. */
const text = fc.string({
  unit: fc.constantFrom(
    'a',
    'A',
    'b',
    '/',
    ':',
    '*',
    '?',
    '.',
    ' ',
    '\n',
    '\u0000',
    'é',
    'e\u0301',
    '0',
    '1',
  ),
  maxLength: 3,
});
const name = fc.constantFrom('a', 'b', 'toString', 'constructor', '__proto__', 'hasOwnProperty');
/** What JSON can have. */
const value = fc.oneof(
  text,
  fc.nat(12),
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 2 }),
  fc.dictionary(name, text, { maxKeys: 1 }),
);
const audiences = fc.oneof(text, fc.array(text, { maxLength: 3 }));

/** As JSON.parse makes it: a member named __proto__ is one like others. */
function claimsOf(
  iss: string,
  sub: string,
  aud: string | string[],
  more: readonly (readonly [string, unknown])[],
): Claims {
  return Object.fromEntries([...more, ...Object.entries({ iss, sub, aud, exp: 0, iat: 0 })]) as Claims;
}

function publisherOf(
  issuer: string,
  subject: string,
  audience: string,
  claims: readonly (readonly [string, string])[],
): Publisher {
  return {
    ...{ id: 'id', name: 'name', issuer, subject, audience, claims, created: now },
    ...{ scopes: ['push'], ids: [], networks: [], owner: undefined, expires: undefined },
  };
}

function fits(publisher: Publisher, claims: Claims): boolean {
  return publishersOf([publisher], claims).length === 1 && misfitOf(publisher, claims, now) === undefined;
}

/** The rule in other words: what both say, written in one way, is one text. */
function said(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}
function isScalar(found: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof found);
}

/** What forgiving comparisons pass over, and what they do not. */
const changes: Readonly<Record<string, (one: string, at: number, by: string) => string>> = {
  change: (one, at, by) => one.slice(0, at) + by + one.slice(at + 1),
  drop: (one, at) => one.slice(0, at) + one.slice(at + 1),
  add: (one, at, by) => one.slice(0, at) + by + one.slice(at),
  append: (one, _at, by) => one + by,
  case: (one, at) => one.slice(0, at) + swapCase(one.charAt(at)) + one.slice(at + 1),
  compose: (one) => one.normalize('NFC'),
  decompose: (one) => one.normalize('NFD'),
};
function swapCase(letter: string): string {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
}

const pairs = <T>(values: fc.Arbitrary<T>) =>
  fc.uniqueArray(fc.tuple(name, values), { selector: ([key]) => key, maxLength: 4 });

describe('a trusted publisher', () => {
  it('fits exactly when issuer, subject, the only audience and all its claims are those of the token', () => {
    const seen = { fit: 0, not: 0 };
    const some = fc.record({ issuer: text, subject: text, audience: text, wanted: pairs(text) });
    fc.assert(
      fc.property(
        some,
        fc.record({ iss: text, sub: text, aud: audiences, found: pairs(value) }),
        fc.subarray(['iss', 'sub', 'aud', 'found']),
        ({ issuer, subject, audience, wanted }, other, differing) => {
          const same = { iss: issuer, sub: subject, aud: audience as string | string[] };
          const token = {
            ...{ ...same, found: wanted as [string, unknown][] },
            ...Object.fromEntries(differing.map((part) => [part, other[part as keyof typeof other]])),
          } as { iss: string; sub: string; aud: string | string[]; found: [string, unknown][] };
          const found = new Map(token.found);
          const isEqual =
            said(issuer, subject, [audience]) === said(token.iss, token.sub, [token.aud].flat()) &&
            wanted.every(([key, one]) => isScalar(found.get(key)) && said(one) === said(`${found.get(key)}`));

          const fit = fits(
            publisherOf(issuer, subject, audience, wanted),
            claimsOf(token.iss, token.sub, token.aud, token.found),
          );

          seen[fit ? 'fit' : 'not'] += 1;
          expect(fit).toBe(isEqual);
        },
      ),
      { numRuns: 1000 },
    );
    // Or else one of the two was never tried.
    expect(Math.min(seen.fit, seen.not)).toBeGreaterThan(50);
  });

  it('fits no more when one character of anything that it expects is another, missing, or one more', () => {
    const letters = fc.oneof(
      fc.constantFrom('a', 'Z', 'é', 'e\u0301', 'ß', ' ', '/'),
      fc.string({ maxLength: 1 }),
    );
    const something = fc.array(letters, { maxLength: 6 }).map((parts) => `a${parts.join('')}`);
    const change = fc.record({ at: fc.nat(), how: fc.constantFrom(...Object.keys(changes)), by: letters });
    fc.assert(
      fc.property(
        fc.tuple(something, something, something),
        pairs(something),
        fc.nat(),
        change,
        ([issuer, subject, audience], wanted, which, { at, how, by }) => {
          const all = [issuer, subject, audience, ...wanted.map(([, one]) => one)];
          const altered = all.map((one, index) =>
            index === which % all.length ? (changes[how]?.(one, at % one.length, by) ?? one) : one,
          );
          fc.pre(said(altered) !== said(all));
          const token = (texts: readonly string[]) => {
            const [iss = '', sub = '', aud = '', ...rest] = texts;
            return claimsOf(
              iss,
              sub,
              aud,
              wanted.map(([key], index) => [key, rest[index]]),
            );
          };
          const publisher = publisherOf(issuer, subject, audience, wanted);

          expect([fits(publisher, token(all)), fits(publisher, token(altered))]).toEqual([true, false]);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
