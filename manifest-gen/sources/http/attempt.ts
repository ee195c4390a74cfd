import type { Failed as FailedOnce } from '../../../outbound/persist.ts';
import type { Fault } from './file-fault.ts';

/** The result of one attempt; if it failed, the next may succeed. */
export type Attempt<T> = { readonly done: T } | Failed;

export type Failed = FailedOnce & {
  /** It is not what the source states; if that repeats, it is refused, not unreachable. */
  readonly refusal?: Fault;
};
