import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type HrTime, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { createHttp, withoutRequest } from '../outbound/http.ts';
import type { KeptTrace, Send } from './export-queue.ts';
import type { TracingConfig } from './settings.ts';
import type { Attributes, Span } from './spans.ts';

/** What a collector is told of the program whose traces these are. */
export type Program = { readonly name: string; readonly version: string; readonly instanceId: string };

type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

/** OTLP over HTTP: what a collector may answer to be asked again (specification of OTLP, "Retryable Response Codes"). */
const retried = [429, 502, 503, 504];
const maxAttempts = 4;
const maxAnswerBytes = 64 * 1024;

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/**
 * Sends traces to a collector, as OTLP over HTTP with protobuf. The only file that loads the SDK: of it the form on the wire alone,
 * so that no part of the SDK reads the environment, keeps a timer or holds a process up (decision 34).
 */
export function createOtlpSend(config: TracingConfig, program: Program): Send {
  const resource = defaultResource().merge(
    resourceFromAttributes({
      'service.name': program.name,
      'service.version': program.version,
      'service.instance.id': program.instanceId,
      ...config.resource,
      ...(config.serviceName !== undefined && { 'service.name': config.serviceName }),
    }),
  );
  const http = createHttp({ userAgent: `go-win-tools/${program.version}` });
  const { ca: certificateAuthority, cert: certificate, key } = config.tls;

  return async (traces, signal) => {
    const spans = traces.flatMap((trace) =>
      trace.spans.map((span) => toReadableSpan(trace, span, resource, program)),
    );
    const bytes = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []);
    let isTooLong = false;
    const asked = http.post(config.url, {
      body: config.isCompressed ? await promisify(gzip)(bytes) : bytes,
      headers: {
        ...config.headers,
        'content-type': 'application/x-protobuf',
        ...(config.isCompressed && { 'content-encoding': 'gzip' }),
      },
      https: {
        ...(certificateAuthority && { certificateAuthority }),
        ...(certificate && { certificate }),
        ...(key && { key }),
      },
      // The headers are for this address alone.
      followRedirect: false,
      throwHttpErrors: false,
      responseType: 'buffer',
      retry: {
        limit: maxAttempts - 1,
        methods: ['POST'],
        statusCodes: retried,
        maxRetryAfter: config.timeoutMs,
      },
      // So that a short answer is one.
      decompress: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(config.timeoutMs)]),
    });
    asked.on('downloadProgress', ({ transferred }) => {
      isTooLong ||= transferred > maxAnswerBytes;
      if (isTooLong) asked.cancel();
    });
    const answer = await asked.catch((error: unknown) => {
      throw isTooLong ? new Error('it answers at too great length') : withoutRequest(error);
    });
    if (answer.statusCode < 200 || answer.statusCode > 299)
      throw new Error(`it answers ${answer.statusCode}`);
    const rejected = rejectedIn(answer.body);
    if (rejected > 0) throw new Error(`it refuses ${rejected} of ${spans.length} spans`);
  };
}

/** How many spans a collector refuses. @throws Error when the answer is not of OTLP, such as a page of a proxy */
function rejectedIn(body: Uint8Array): number {
  try {
    return Number(ProtobufTraceSerializer.deserializeResponse(body).partialSuccess?.rejectedSpans ?? 0);
  } catch (cause) {
    throw new Error('its answer is not one of OTLP', { cause });
  }
}

function toReadableSpan(
  { traceId, isJoined }: KeptTrace,
  span: Span,
  resource: Resource,
  { version }: Program,
): ReadableSpan {
  const context = { traceId, traceFlags: 1 };
  const { parentSpanId, start, end, error } = span;
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => ({ ...context, spanId: span.spanId }),
    ...(parentSpanId !== undefined && {
      parentSpanContext: { ...context, spanId: parentSpanId, isRemote: isJoined && span.kind === 'server' },
    }),
    startTime: hrTime(start),
    endTime: hrTime(end),
    duration: hrTime(end - start),
    status: { code: error === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR },
    attributes: known({ ...span.attributes, ...(error !== undefined && { 'error.type': error }) }),
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'go-win-tools', version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

/** Without those that have no value, which would be sent as empty ones. */
function known(attributes: Attributes): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
