import { fail } from '../errors.ts';
import type { Expression, FunctionName, PackageQuery, QueryProperty } from './query.ts';

/**
 * What a query costs, told from its shape before it runs: texts are what costs, and anybody may ask. A pass is one look
 * at a long text from its first to its last character, about a nanosecond a byte; a step is what takes 40 ns, whatever the
 * texts are. Both are of one row.
 */
export type Cost = { readonly passes: number; readonly steps: number };

/** The most passes over long texts that a query may make. choco's search of all fields makes 10, 30 words of a search 60. */
export const maxPasses = 150;
/** The longest text that a filter may make, in long texts: `concat` of a few, but not of dozens. */
export const maxMadeTexts = 4;

/** What counts as one long text: a description may have as many characters (feed/rules.ts), so clients' own texts are parts of one. */
const longText = 4000;

/** How long a property can be; what authors may fill at will is long. Numbers, dates and flags are no texts. */
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
  /** How often each of its texts is walked, where a plain copy is once (measured: decision 24). */
  readonly passes: number;
  readonly steps: number;
  /** Looks for its first text at each place of the second, or the other way around. */
  readonly seeks?: 'first' | 'second';
  /** What it makes is as long as its texts together. */
  readonly makesText?: true;
};

/** Steps above 1 are those of a call into JavaScript (sql/text-functions.ts). */
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

/** How often a text is walked to order rows by it: it is copied, and compared with others. */
const orderPasses = 8;
/** So many characters are compared at each place in the time that walking over the place takes. */
const charactersAtOnce = 64;
/** So many characters of a short text are walked over in one step. */
const charactersAStep = 40;
/** A call into JavaScript. */
const callSteps = 8;

/**
 * What the query costs for each row that is looked at.
 * @throws FeedError QUERY_TOO_COSTLY when it is more than any client's question needs
 */
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
      problem: `it walks over long texts ${Math.round(passes)} times for each version, at most ${maxPasses} are allowed`,
    });
  }
  return { passes, steps };

  /** The length of the text that comes out, in characters; 0 for what is none. */
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
    // Neither is the client's own: beside what ignores case the other one is put into lower case first (sql/term.ts).
    const isFolded = texts.length > 1 && texts.every(({ kind }) => kind !== 'text' && kind !== 'null');
    const soughtAt = cost.seeks === 'first' ? 0 : 1;
    const sought = cost.seeks === undefined ? 0 : (lengths[soughtAt] ?? 0);
    const isSoughtByCall = cost.seeks !== undefined && texts[soughtAt]?.kind !== 'text';
    walkOver(together, cost.passes * seeking(sought) + (isFolded ? 1 : 0));
    steps += cost.steps + (isFolded ? callSteps : 0) + (isSoughtByCall ? callSteps : 0);
    if (cost.makesText && together > maxMadeTexts * longText) {
      fail('QUERY_TOO_COSTLY', {
        problem: `it makes a text as long as ${Math.round(together / longText)} descriptions, at most ${maxMadeTexts} are allowed`,
      });
    }
    return cost.makesText ? together : 0;
  }

  /** Short texts stand in the rows themselves: what they cost grows with the rows and not with the long texts of the feed. */
  function walkOver(length: number, times: number): void {
    if (length < longText) steps += (times * length) / charactersAStep;
    else passes += (times * length) / longText;
  }
}

function seeking(length: number): number {
  return 1 + length / charactersAtOnce;
}
