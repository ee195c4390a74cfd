import type { IncomingMessage, RequestListener } from 'node:http';
import { beginTrace, currentTrace, endTrace, type Trace, withTrace } from '../../tracing/spans.ts';
import { readTraceParent } from '../../tracing/trace-context.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { isFromPublisher, keyNameOf } from './auth.ts';
import { downloadFields } from './download-count.ts';
import { pathOf } from './request-target.ts';
import { createBudget, traceClassOf } from './trace-class.ts';

/** What the log knows of a request that has ended, too. */
export type EndedRequest = {
  readonly requestId: string;
  readonly route: string;
  readonly status: number | undefined;
  readonly ms: number;
  /** Bytes sent, including headers. */
  readonly bytes: number;
  readonly isCutOff: true | undefined;
};

/** Returns the id of the trace if it is kept. Called when the answer has ended. */
export type EndRequestTrace = (req: IncomingMessage, ended: EndedRequest) => string | undefined;

/** For the process. */
const faultsOfStrangers = createBudget(600);

/** Everything that is done for a request is part of its trace. Whether that is kept is decided at the end. */
export function traceRequests(handle: RequestListener): RequestListener {
  return (req, res) => {
    const trace = beginTrace();
    // Before the listeners that end the request, so that what still goes on is left out.
    res.on('close', () => endTrace(trace));
    // One more than the others know of.
    res.setMaxListeners(res.getMaxListeners() + 1);
    withTrace(trace, () => handle(req, res));
  };
}

/**
 * What a request begins with, for whoever ends its trace. An answer from the response cache costs a few numbers until then: its
 * trace id is its request id, which it has anyway.
 */
export function beginRequestTrace(tracer: Tracer | undefined): EndRequestTrace | undefined {
  const trace = tracer && currentTrace();
  return trace && ((req, ended) => finish(tracer, trace, req, ended));
}

function finish(tracer: Tracer, trace: Trace, req: IncomingMessage, ended: EndedRequest): string | undefined {
  const { requestId, status, ms } = ended;
  const { method, url = '/', headers } = req;
  const isPublisher = isFromPublisher(req);
  return tracer.finish(trace, {
    traceId: requestId.replaceAll('-', ''),
    // Whoever may not publish neither chooses ids nor decides what is kept.
    parent: isPublisher ? readTraceParent(headers.traceparent?.toString()) : undefined,
    of: traceClassOf(
      { method, path: pathOf(url), status, ms, isFromPublisher: isPublisher },
      faultsOfStrangers,
    ),
    root: () => rootOf(trace, req, ended),
  });
}

/**
 * Names by OpenTelemetry's semantic conventions for HTTP servers, and our own. Left out are those with texts that somebody sent: path,
 * query, User-Agent, addresses.
 */
function rootOf(
  { about }: Trace,
  req: IncomingMessage,
  { requestId, route, status, bytes, isCutOff }: EndedRequest,
) {
  const { method } = req;
  const sent = Number(req.headers['content-length'] ?? Number.NaN);
  const { id, version } = downloadFields(req) ?? {};
  return {
    name: `${method} ${route}`,
    kind: 'server' as const,
    attributes: {
      'http.request.method': method,
      'http.response.status_code': status,
      'http.request.body.size': Number.isSafeInteger(sent) ? sent : undefined,
      'http.response.size': bytes,
      'network.protocol.version': req.httpVersion,
      'gwt.area': route,
      'gwt.request.id': requestId,
      'gwt.request.cut_off': isCutOff,
      'gwt.key.name': keyNameOf(req),
      'gwt.package.id': id,
      'gwt.package.version': version,
    },
    error: status !== undefined && status >= 500 ? String(about['error.type'] ?? status) : undefined,
  };
}
