import { isSampled } from '../../../tracing/sampling.ts';
import { beginTrace, errorType, withTrace } from '../../../tracing/spans.ts';
import { newTraceId } from '../../../tracing/trace-context.ts';
import { openTracer } from '../../../tracing/tracer.ts';
import type { VerbToolkit } from './toolkit.ts';

/** A span or two for each step of each of a hundred tools. */
const maxSpans = 2_000;

/**
 * Does the work of a verb as one trace, where traces go somewhere. Our own server learns its id, so that what it does for the run is part
 * of the trace. Kept by TRACE_SHARE_PUBLISHING, and where the run fails; that is known too late for the server's part.
 */
export async function traceRun<T>(
  { config: { tracing }, report, version }: VerbToolkit,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  if (tracing === undefined) return work();
  const log = {
    info: () => undefined,
    warn: ({
      collector,
      reason = '',
    }: {
      readonly collector: string;
      readonly reason?: string | undefined;
    }) => report.warn('traces', `they do not arrive at ${collector}: ${reason}`),
  };
  const tracer = await openTracer(tracing, { name: 'go-win-tools-release', version, log });
  const traceId = newTraceId();
  const passedOn = { traceId, isSampled: isSampled(traceId, 'publishing', tracing.shares) };
  const trace = beginTrace({ passedOn, maxSpans });
  let error: string | undefined;
  try {
    return await withTrace(trace, work);
  } catch (thrown) {
    error = errorType(thrown);
    throw thrown;
  } finally {
    const root = () => ({ name, kind: 'internal' as const, attributes: {}, error });
    tracer.finish(trace, { traceId, of: error === undefined ? 'publishing' : 'always', root });
    await tracer.close();
  }
}
