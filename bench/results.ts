import { median, type Sample } from './load.ts';
import type { Goal, Limit, Rival } from './rows.ts';

export type Rating = { readonly must?: number; readonly aim?: number; readonly verdict: Verdict };
/** `ok`: the required value is reached, the aim (if there is one) is not. */
export type Verdict = 'aim met' | 'ok' | 'below aim' | 'MISSED' | '';

/** One line of the table: the feed compared with one rival, or a measured value and its limit. */
export type Result = Rating & {
  readonly operation: string;
  readonly feed: string;
  readonly ratio?: number;
  readonly against?: Rival | string;
  readonly errors?: number;
};

/** Higher is better. */
export function rateRatio(ratio: number, { must, aim }: Omit<Goal, 'against'>): Rating {
  return rated(must, aim, (goal) => ratio >= goal);
}

/** Lower is better. */
export function rateValue(value: number, { must, aim }: Partial<Pick<Limit, 'must' | 'aim'>>): Rating {
  return rated(must, aim, (goal) => value <= goal);
}

/** The median rate of the feed's samples to that of the reference's. */
export function ratioResult(
  operation: string,
  samples: readonly Sample[],
  reference: readonly Sample[],
  aim: number,
  against = 'bare',
): Result {
  const rate = median(samples.map(({ perSecond }) => perSecond));
  const ratio = rate / median(reference.map(({ perSecond }) => perSecond));
  return {
    operation,
    feed: `${Math.round(rate)}/s`,
    ratio,
    against,
    errors: samples.reduce((sum, { errors }) => sum + errors, 0),
    ...rateRatio(ratio, { aim }),
  };
}

function rated(must: number | undefined, aim: number | undefined, isMet: (goal: number) => boolean): Rating {
  const goals = { ...(must !== undefined && { must }), ...(aim !== undefined && { aim }) };
  if (must !== undefined && !isMet(must)) return { ...goals, verdict: 'MISSED' };
  if (aim !== undefined)
    return { ...goals, verdict: isMet(aim) ? 'aim met' : must === undefined ? 'below aim' : 'ok' };
  return { ...goals, verdict: must === undefined ? '' : 'ok' };
}

export function tableOf(results: readonly Result[]): string {
  const number = (value: number | undefined) => (value === undefined ? '-' : String(value));
  const rows = results.map((result) => [
    result.operation,
    result.feed,
    result.ratio === undefined ? '-' : result.ratio.toFixed(2),
    result.against ?? '',
    number(result.must),
    number(result.aim),
    (result.errors ?? 0) > 0 ? `${result.errors} ERRORS` : result.verdict,
  ]);
  const head = ['operation', 'feed', 'ratio', 'to', 'must', 'aim', ''];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const isText = (column: number) => column === 0 || column === 3 || column === 6;
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
