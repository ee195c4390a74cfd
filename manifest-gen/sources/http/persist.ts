import { setTimeout as pause } from 'node:timers/promises';
import { fail } from '../../errors.ts';
import type { Fault } from './file-fault.ts';
import type { Patience } from './http.ts';

/** The result of one attempt; if it failed, the next may succeed. */
export type Attempt<T> = { readonly done: T } | Failed;

export type Failed = {
  /** The reason in a few words. */
  readonly failed: string;
  /** How long the other side asks us to wait; longer than our patience ends it. */
  readonly waitMs?: number;
  /** It got further than the one before, so the count starts again. */
  readonly isFurther?: boolean;
  /** It is not what the source states; if that repeats, it is refused, not unreachable. */
  readonly refusal?: Fault;
};

/** However much each attempt gains, this many are enough: a host that sends one byte at a time must not block us forever. */
const maxAttempts = 100;

/**
 * Attempts until one is done or patience is at its end; then the last failure is the answer. A pause that the other side
 * asked for is told each second.
 * @throws ReleaseError INTERRUPTED, and whatever an attempt throws: that is final
 */
export async function persist<T>(
  { attempts, firstDelayMs, maxPauseMs }: Patience,
  signal: AbortSignal,
  attempt: () => Promise<Attempt<T>>,
  onPause: (why: string, leftMs: number) => void = () => {},
): Promise<Attempt<T>> {
  let inVain = 0;
  for (let total = 1; ; total += 1) {
    if (signal.aborted) return interrupted();
    const result = await attempt();
    if (signal.aborted) return interrupted();
    if ('done' in result) return result;
    inVain = result.isFurther ? 1 : inVain + 1;
    const waitMs = result.waitMs ?? firstDelayMs * 2 ** (inVain - 1);
    if (inVain >= attempts || total >= maxAttempts || waitMs > maxPauseMs) return result;
    if (result.waitMs === undefined) await sleep(waitMs, signal);
    else await countDown(waitMs, signal, (leftMs) => onPause(result.failed, leftMs));
  }
}

/** A pause that the other side asks for may be long, so that people see it pass. */
async function countDown(waitMs: number, signal: AbortSignal, tell: (leftMs: number) => void): Promise<void> {
  for (let leftMs = waitMs; leftMs > 0; leftMs -= 1_000) {
    tell(leftMs);
    await sleep(Math.min(leftMs, 1_000), signal);
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(interrupted);
}

function interrupted(): never {
  return fail('INTERRUPTED', { state: 'nothing was published' });
}
