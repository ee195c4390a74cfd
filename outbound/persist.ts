import { setTimeout as pause } from 'node:timers/promises';

/** How often a host is tried before it counts as unreachable. */
export type RetryPolicy = {
  readonly attempts: number;
  /** Doubles with each attempt. */
  readonly firstDelayMs: number;
  /** If a host asks for a longer pause, we give up (--max-wait). */
  readonly maxPauseMs: number;
};

/** A failed attempt; the next one may succeed. */
export type Failed = {
  /** The reason in a few words. */
  readonly failed: string;
  /** How long the other side asks us to wait; if the policy does not allow that much, we give up. */
  readonly waitMs?: number;
  /** It got further than the attempt before, so the count starts again. */
  readonly isFurther?: boolean;
};

/** An upper limit even if each attempt gets further: a host that sends one byte at a time must not block us forever. */
const maxAttempts = 100;

/**
 * Retries until an attempt is done or the policy allows no more; then returns the last failure. Reports a pause that the other
 * side asked for every second.
 * @throws the signal's reason when it is aborted, and whatever an attempt throws, which is final
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

/** Such a pause may be long, so people see it count down. */
async function countDown(waitMs: number, signal: AbortSignal, tell: (leftMs: number) => void): Promise<void> {
  for (let leftMs = waitMs; leftMs > 0; leftMs -= 1_000) {
    tell(leftMs);
    await sleep(Math.min(leftMs, 1_000), signal);
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
