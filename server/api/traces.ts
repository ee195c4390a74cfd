import { Router } from 'express';
import type { Tracer } from '../../tracing/tracer.ts';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { TraceReport } from './schemas.ts';

export type TraceServices = { readonly tracer?: Pick<Tracer, 'findAsked'> | undefined };

/**
 * What became of a trace that somebody asked for with a sampled `traceparent`. This server knows of its own only.
 * @throws FeedError TRACING_OFF, TRACE_UNKNOWN
 */
export function createTraceRouter({ tracer }: TraceServices): Router {
  const router = Router();
  router
    .route('/traces/:id')
    .get((req, res) => {
      const { findAsked } = tracer ?? fail('TRACING_OFF');
      const { id } = req.params;
      const found = findAsked(id) ?? fail('TRACE_UNKNOWN');
      res.json({ traceId: id, ...found } satisfies TraceReport);
    })
    .all(methodNotAllowed('GET, HEAD'));
  return router;
}
