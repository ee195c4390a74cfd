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
};

/** Which share of such requests is traced: a request that failed for another reason than an ordinary one is, always. */
export function traceClassOf({ method = '', path, status = 0, ms }: AnsweredRequest): TraceClass {
  if (status >= 400 && !ordinary.has(status)) return 'always';
  if (ms > slowMs) return 'always';
  // git reads with POST.
  return reading.has(method) || path.endsWith('/git-upload-pack') ? 'other' : 'publishing';
}
