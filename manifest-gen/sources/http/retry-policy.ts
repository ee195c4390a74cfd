import type { TimeLimits } from '../../../outbound/http.ts';
import type { RetryPolicy } from '../../../outbound/persist.ts';

/** How long and how often a host is tried before it counts as unreachable. */
export type HostRetryPolicy = RetryPolicy & Pick<TimeLimits, 'answerTimeoutMs' | 'idleTimeoutMs'>;

export const retryPolicy: HostRetryPolicy = {
  attempts: 4,
  firstDelayMs: 1_000,
  answerTimeoutMs: 15_000,
  idleTimeoutMs: 60_000,
  maxPauseMs: 60_000,
};

/** For verbs that only show: a person waits for the answer, and can ask again. */
export const quickRetryPolicy: HostRetryPolicy = {
  ...retryPolicy,
  attempts: 2,
  firstDelayMs: 500,
  answerTimeoutMs: 5_000,
  idleTimeoutMs: 10_000,
};
