import type { TraceClass } from '../../tracing/sampling.ts';

/** Longer requests are kept (contract section 12). */
const slowMs = 5_000;

/** What clients get in ordinary work: a password is asked for, it is not theirs, not there, unchanged, or comes later. */
const ordinary = new Set([401, 403, 404, 405, 412, 416, 429]);

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

export type AnsweredRequest = {
  readonly method: string | undefined;
  /** Without its query. */
  readonly path: string;
  /** Undefined: the client left before there was an answer. */
  readonly status: number | undefined;
  readonly ms: number;
  /** Whether it came with a key of somebody who publishes. */
  readonly isFromPublisher: boolean;
};

/**
 * Which share of such requests is traced: a request that failed for another reason than an ordinary one is, always.
 * @param mayKeep asked about the fault of a stranger: anybody may send those, and traces cost something
 */
export function traceClassOf(
  { method = '', path, status = 0, ms, isFromPublisher }: AnsweredRequest,
  mayKeep: () => boolean,
): TraceClass {
  const isFault = status >= 400 && status < 500 && !ordinary.has(status);
  if (status >= 500 || ms > slowMs || (isFault && (isFromPublisher || mayKeep()))) return 'always';
  // git reads with POST.
  const isReading = reading.has(method) || path.endsWith('/git-upload-pack');
  // Anybody may send what is refused; choco and git push without a key first.
  const isDone = status >= 200 && status < 400;
  return !isReading && (isDone || isFromPublisher) ? 'publishing' : 'other';
}

/** So many a minute. @returns whether there was one left; asking takes it */
export function createBudget(perMinute: number, now: () => number = () => performance.now()): () => boolean {
  let began = Number.NEGATIVE_INFINITY;
  let taken = 0;
  return () => {
    if (now() - began >= 60_000) {
      began = now();
      taken = 0;
    }
    taken += 1;
    return taken <= perMinute;
  };
}
