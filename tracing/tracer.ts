import { randomUUID } from 'node:crypto';
import { createExportQueue, type KeptTrace, type Outcome } from './export-queue.ts';
import { isSampled, type TraceClass } from './sampling.ts';
import type { TracingConfig } from './settings.ts';
import { endTrace, type Span, type Trace } from './spans.ts';
import type { TraceParent } from './trace-context.ts';

type RootSpan = Pick<Span, 'name' | 'kind' | 'attributes' | 'error'>;

/** How the work of a trace ended. */
export type Ended = {
  /** 32 lower-case hex digits; that of the parent counts, where there is one. */
  readonly traceId: string;
  /** Where this work belongs, said by somebody who may say so. What that one keeps is kept. */
  readonly parent?: TraceParent | undefined;
  readonly of: TraceClass;
  /** The span of the whole, where it is kept. */
  readonly root: () => RootSpan;
};

/** What became of a trace that was asked for. */
export type AskedTrace = {
  readonly outcome: Outcome | 'waiting';
  /** Why it did not arrive. */
  readonly problem?: string | undefined;
};

export type Tracer = {
  /** Decides whether the trace is kept, and then sends it some time. Returns its id if it is. */
  finish(trace: Trace, ended: Ended): string | undefined;
  /** How many traces there were, since the start. */
  counts(): Readonly<Record<Outcome | 'not_sampled', number>>;
  /** Of the last hundred that somebody who may asked for. */
  findAsked(traceId: string): AskedTrace | undefined;
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>;
};

type Delivery = { readonly collector: string; readonly reason?: string | undefined };

export type TracerLog = {
  info(fields: Delivery, message: string): void;
  warn(fields: Delivery, message: string): void;
};

const maxAsked = 100;

/** Loads the SDK, which nobody needs where nothing is traced. */
export async function openTracer(
  config: TracingConfig,
  { name, version, log }: { readonly name: string; readonly version: string; readonly log: TracerLog },
): Promise<Tracer> {
  const { createOtlpSend } = await import('./otlp.ts');
  const { origin: collector } = new URL(config.url);
  const counts = { exported: 0, failed: 0, dropped: 0, not_sampled: 0 };
  const asked = new Map<string, AskedTrace>();
  const queue = createExportQueue({
    limits: { waitMs: config.waitMs },
    send: createOtlpSend(config, { name, version, instanceId: randomUUID() }),
    settled({ traceId }, outcome, problem) {
      counts[outcome] += 1;
      if (asked.has(traceId)) asked.set(traceId, { outcome, ...(problem !== undefined && { problem }) });
    },
    report(error) {
      if (error === undefined) log.info({ collector }, 'traces arrive again');
      else log.warn({ collector, reason: error.message }, 'traces do not arrive; this is said once');
    },
  });

  function remember(traceId: string): void {
    asked.delete(traceId);
    asked.set(traceId, { outcome: 'waiting' });
    const [oldest] = asked.keys();
    if (asked.size > maxAsked && oldest !== undefined) asked.delete(oldest);
  }

  return {
    finish(trace, { traceId: own, parent, of, root }) {
      endTrace(trace);
      const traceId = parent?.traceId ?? own;
      if (parent?.isSampled !== true && !isSampled(traceId, of, config.shares)) {
        counts.not_sampled += 1;
        return undefined;
      }
      if (parent?.isSampled) remember(traceId);
      queue.add(keptTrace(trace, traceId, parent, root()));
      return traceId;
    },
    counts: () => ({ ...counts }),
    findAsked: (traceId) => asked.get(traceId),
    close: queue.close,
  };
}

function keptTrace(
  { rootSpanId, start, startedAt, spans, leftOut, about }: Trace,
  traceId: string,
  parent: TraceParent | undefined,
  root: RootSpan,
): KeptTrace {
  const whole: Span = {
    ...root,
    spanId: rootSpanId(),
    parentSpanId: parent?.spanId,
    start,
    end: start + performance.now() - startedAt,
    attributes: { ...root.attributes, ...about, ...(leftOut > 0 && { 'gwt.spans_left_out': leftOut }) },
  };
  return { traceId, spans: [whole, ...spans], isJoined: parent !== undefined };
}
