import { setTimeout as pause } from 'node:timers/promises';

/** How often a host is tried before it counts as unreachable. */
export type RetryPolicy = {
  readonly attempts: number;
  /** Doubles with each attempt. */
  readonly firstDelayMs: number;
  /** A host that asks for a longer pause is given up (--max-wait). */
  readonly maxPauseMs: number;
};

/** An attempt that failed; the next may succeed. */
export type Failed = {
  /** The reason in a few words. */
  readonly failed: string;
  /** How long the other side asks us to wait; longer than the policy allows ends it. */
  readonly waitMs?: number;
  /** It got further than the one before, so the count starts again. */
  readonly isFurther?: boolean;
};

/** However much each attempt gains, this many are enough: a host that sends one byte at a time must not block us forever. */
const maxAttempts = 100;

/**
 * Attempts until one is done or the policy is at its end; then the last failure is the answer. A pause that the other side
 * asked for is reported every second.
 * @throws the signal's reason when it is aborted, and whatever an attempt throws: that is final
 */
export async function persist<Done, Failure extends Failed>(
  { attempts, firstDelayMs, maxPauseMs }: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<{ readonly done: Done } | Failure>,
  onPause: (why: string, leftMs: number) => void = () => {},
): Promise<{ readonly done: Done } | Failure> {
  let inVain = 0;
  for (let total = 1; ; total += 1) {
    signal.throwIfAborted();
    const result = await attempt();
    signal.throwIfAborted();
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
  await pause(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
