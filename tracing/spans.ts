import { AsyncLocalStorage } from 'node:async_hooks';
import { newSpanId, type TraceParent, traceParentHeader } from './trace-context.ts';

/** Facts about a span. Never a value from a query, a key, or a text that somebody sent: see docs/operate/tracing.md. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A part of the work that took time, when it has ended. */
export type Span = {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  readonly spanId: string;
  /** Undefined for the first span of a trace. */
  readonly parentSpanId: string | undefined;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  /** The code of the error that ended it, or its class. */
  readonly error?: string | undefined;
};

/** The spans of one request, or of one run of a verb, while it lasts. Its id may be known at the end only. */
export type Trace = {
  /** Made when it is asked for: most traces are not kept. */
  readonly rootSpanId: () => string;
  /** Milliseconds since 1970. */
  readonly start: number;
  /** Of the clock that never jumps. */
  readonly startedAt: number;
  readonly spans: Span[];
  readonly maxSpans: number;
  /** Spans that found no room. */
  leftOut: number;
  /** What is known about the whole. */
  about: Attributes;
  isEnded: boolean;
  /** For the requests of this work, where its id is known from the start. */
  readonly passedOn?: Pick<TraceParent, 'traceId' | 'isSampled'> | undefined;
};

/** `maxSpans`: more parts are not kept, since a search may read thousands of blobs. */
type BeginTrace = { readonly passedOn?: Trace['passedOn']; readonly maxSpans?: number };

/** Of everything that is under way; more are not kept. A span takes a few hundred bytes. */
const maxBuffered = 20_000;
let buffered = 0;

type Current = { readonly trace: Trace; readonly spanId: () => string };

const current = new AsyncLocalStorage<Current>();

export function beginTrace({ passedOn, maxSpans = 64 }: BeginTrace = {}): Trace {
  let rootSpanId: string | undefined;
  return {
    rootSpanId: () => {
      rootSpanId ??= newSpanId();
      return rootSpanId;
    },
    start: Date.now(),
    startedAt: performance.now(),
    spans: [],
    maxSpans,
    leftOut: 0,
    about: {},
    isEnded: false,
    passedOn,
  };
}

/** What still goes on has no span any more. */
export function endTrace(trace: Trace): void {
  if (trace.isEnded) return;
  trace.isEnded = true;
  buffered -= trace.spans.length;
}

/** Does the work as part of the trace: `inSpan` and the like find it, whatever the work waits for. */
export function withTrace<T>(trace: Trace, work: () => T): T {
  return current.run({ trace, spanId: trace.rootSpanId }, work);
}

/** The trace of what is being done now. Always undefined where nothing is traced. */
export function currentTrace(): Trace | undefined {
  return current.getStore()?.trace;
}

/** Adds what has become known about the request as a whole. */
export function describeTrace(attributes: Attributes): void {
  const trace = currentTrace();
  if (trace !== undefined) trace.about = { ...trace.about, ...attributes };
}

/** The header `traceparent` for a request of this work; undefined where nothing is traced, or the id is known at the end only. */
export function currentTraceParent(): string | undefined {
  const at = current.getStore();
  return at?.trace.passedOn && traceParentHeader({ ...at.trace.passedOn, spanId: at.spanId() });
}

export type OpenSpan = { readonly spanId: string; end(error?: unknown): void };

/** For what no function waits for, such as a stream: a span that lasts until `end`. Undefined where nothing is traced. */
export function beginSpan(name: string, attributes: Attributes = {}): OpenSpan | undefined {
  const at = current.getStore();
  if (at === undefined || at.trace.isEnded) return undefined;
  const { trace } = at;
  const parentSpanId = at.spanId();
  const spanId = newSpanId();
  const startedAt = performance.now();
  let isOver = false;
  return {
    spanId,
    end(thrown) {
      if (isOver || trace.isEnded) return;
      isOver = true;
      if (trace.spans.length >= trace.maxSpans || buffered >= maxBuffered) {
        trace.leftOut += 1;
        return;
      }
      buffered += 1;
      const start = trace.start + startedAt - trace.startedAt;
      const end = start + performance.now() - startedAt;
      const error = thrown === undefined ? undefined : errorType(thrown);
      trace.spans.push({ name, kind: 'internal', spanId, parentSpanId, start, end, attributes, error });
    },
  };
}

/**
 * Does the work as a part of the current trace, with a span that lasts until it has ended. Without a trace it only does the work.
 * @throws what the work throws; the span keeps its code alone, since messages have values
 */
export function inSpan<T>(name: string, work: () => T, attributes?: Attributes): T {
  const span = beginSpan(name, attributes);
  const trace = currentTrace();
  if (span === undefined || trace === undefined) return work();
  try {
    const result = current.run({ trace, spanId: () => span.spanId }, work);
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    return result.then(
      (value) => {
        span.end();
        return value;
      },
      (error: unknown) => {
        span.end(error);
        throw error;
      },
    ) as T;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** The code of an error, or its class: the same for all errors of a kind, and without their values. */
export function errorType(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code)) return code;
  return error instanceof Error ? error.constructor.name : 'unknown';
}
