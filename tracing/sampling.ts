/** How many of the traces of a class are kept, from 0 to 1. */
export type Shares = { readonly publishing: number; readonly other: number };

/**
 * `always`: what failed or took long; `publishing`: pushes, releases, rollouts; `other`: all else (contract section 12). It is known
 * when the work has ended.
 */
export type TraceClass = 'always' | keyof Shares;

/**
 * Whether a trace is kept, by its id alone: all processes that take part decide alike, and whatever is in a smaller share is in a
 * larger one too. The last digits are those that W3C Trace Context (level 2) asks to be random, compared as OpenTelemetry's
 * consistent sampling does: a larger number is kept.
 * @param traceId 32 lower-case hex digits
 */
export function isSampled(traceId: string, of: TraceClass, shares: Shares): boolean {
  if (of === 'always') return true;
  return Number.parseInt(traceId.slice(-12), 16) / 2 ** 48 >= 1 - shares[of];
}
