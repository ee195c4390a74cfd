import { fail } from '../errors.ts';
import type { Expression, FunctionName, PackageQuery, QueryProperty } from './query.ts';

/**
 * The cost of a query, computed from its shape before it runs, since anybody may send one and texts are expensive. A pass reads a
 * long text once, about a nanosecond a byte; a step takes 40 ns, however long the texts are. Both are per row.
 */
export type Cost = { readonly passes: number; readonly steps: number };

/** The most passes over long texts that a query may make. choco's search of all fields makes 10, a search with 30 words 60. */
export const maxPasses = 150;
/** The longest text that a filter may build, in long texts: `concat` of a few, but not of dozens. */
export const maxMadeTexts = 4;

/** The length of a long text: a description may have this many characters (feed/rules.ts), and clients' own texts are shorter. */
const longText = 4000;

/**
 * The maximum length of each property. Properties that authors may fill freely are long; numbers, dates and flags are not texts.
 */
const propertyLengths: Readonly<Record<QueryProperty, number>> = {
  Id: 100,
  Version: 64,
  NormalizedVersion: 64,
  Title: 256,
  Summary: longText,
  Description: longText,
  Tags: longText,
  Authors: longText,
  Owners: longText,
  Dependencies: longText,
  IsLatestVersion: 0,
  IsAbsoluteLatestVersion: 0,
  IsPrerelease: 0,
  Listed: 0,
  IsApproved: 0,
  IsDownloadCacheAvailable: 0,
  PackageTestResultStatus: 16,
  PackageStatus: 16,
  Published: 0,
  Created: 0,
  LastUpdated: 0,
  LastEdited: 0,
  DownloadCount: 0,
  VersionDownloadCount: 0,
  PackageSize: 0,
};

type FunctionCost = {
  /** How often each of its texts is read; a plain copy reads it once (measured: decision 24). */
  readonly passes: number;
  readonly steps: number;
  /** Searches for its first text at each position of the second, or the other way around. */
  readonly seeks?: 'first' | 'second';
  /** Its result is as long as its texts together. */
  readonly makesText?: true;
};

/** More than one step means a call into JavaScript (sql/text-functions.ts). */
const functionCosts: Readonly<Record<FunctionName, FunctionCost>> = {
  substringof: { passes: 2, steps: 1, seeks: 'first' },
  startswith: { passes: 2, steps: 1, seeks: 'second' },
  endswith: { passes: 1, steps: 8 },
  tolower: { passes: 1, steps: 8, makesText: true },
  toupper: { passes: 3, steps: 16, makesText: true },
  trim: { passes: 1, steps: 8, makesText: true },
  length: { passes: 1, steps: 8 },
  indexof: { passes: 1, steps: 8, seeks: 'second' },
  concat: { passes: 1, steps: 1, makesText: true },
};

/** How often a text is read when rows are sorted by it: it is copied, and compared with others. */
const orderPasses = 8;
/** The number of characters that are compared at a position in the time it takes to move to the next one. */
const charactersAtOnce = 64;
/** The number of characters of a short text that are read in one step. */
const charactersAStep = 40;
/** For a call into JavaScript. */
const callSteps = 8;

/** The cost for each row that the query reads. @throws FeedError QUERY_TOO_COSTLY when it is more than any real client needs */
export function costOf({ where, search = [], packageTypes = [], orderBy }: PackageQuery): Cost {
  let passes = 0;
  let steps = packageTypes.length;

  for (const word of search) {
    passes += 2 * seeking(word.length);
    steps += 1;
  }
  for (const { by } of orderBy) {
    walkOver(propertyLengths[by], orderPasses);
    steps += callSteps;
  }
  if (where !== undefined) walk(where);
  if (passes > maxPasses) {
    fail('QUERY_TOO_COSTLY', {
      problem: `it reads long texts ${Math.round(passes)} times for each version; at most ${maxPasses} are allowed`,
    });
  }
  return { passes, steps };

  /** The length of the resulting text, in characters; 0 for other types. */
  function walk(expression: Expression): number {
    steps += 1;
    switch (expression.kind) {
      case 'text':
        return expression.value.length;
      case 'property':
        return propertyLengths[expression.name];
      case 'not':
        walk(expression.operand);
        return 0;
      case 'and':
      case 'or':
        walk(expression.left);
        walk(expression.right);
        return 0;
      case 'compare':
        walkTexts([expression.left, expression.right], { passes: 1, steps: 0 });
        return 0;
      case 'call':
        return walkTexts(expression.args, functionCosts[expression.name]);
      default:
        return 0;
    }
  }

  function walkTexts(texts: readonly Expression[], cost: FunctionCost): number {
    const lengths = texts.map(walk);
    const together = lengths.reduce((sum, length) => sum + length, 0);
    // Neither is the client's own text: when one ignores case, the other is first put into lower case (sql/term.ts).
    const isFolded = texts.length > 1 && texts.every(({ kind }) => kind !== 'text' && kind !== 'null');
    const soughtAt = cost.seeks === 'first' ? 0 : 1;
    const sought = cost.seeks === undefined ? 0 : (lengths[soughtAt] ?? 0);
    const isSoughtByCall = cost.seeks !== undefined && texts[soughtAt]?.kind !== 'text';
    walkOver(together, cost.passes * seeking(sought) + (isFolded ? 1 : 0));
    steps += cost.steps + (isFolded ? callSteps : 0) + (isSoughtByCall ? callSteps : 0);
    if (cost.makesText && together > maxMadeTexts * longText) {
      fail('QUERY_TOO_COSTLY', {
        problem: `it builds a text as long as ${Math.round(together / longText)} descriptions; at most ${maxMadeTexts} are allowed`,
      });
    }
    return cost.makesText ? together : 0;
  }

  /**
   * Short texts are stored in the rows themselves, so their cost grows with the number of rows and not with the feed's long
   * texts.
   */
  function walkOver(length: number, times: number): void {
    if (length < longText) steps += (times * length) / charactersAStep;
    else passes += (times * length) / longText;
  }
}

function seeking(length: number): number {
  return 1 + length / charactersAtOnce;
}
