import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { FeedError } from '../../errors.ts';
import { type RunningServer, readJson } from '../ask-server.ts';
import { type Check, type Finding, failed, ok, skip } from './check.ts';
import { ofThisMachine } from './server.ts';

/** A queue of traces is sent every few seconds. */
const arriveMs = 20_000;
const pollMs = 200;

/** One request that is surely traced, and whether the collector took it. */
export const trace: Check = {
  name: 'trace',
  needs: ['server'],
  limitMs: arriveMs + 10_000,
  async look(place) {
    const { server, config } = place;
    if (server === undefined) return skip('no server of this machine can be asked');
    const running = ofThisMachine(server, place);
    const id = randomBytes(16).toString('hex');
    // Sampled, and with a key of a publisher: such a trace is kept (W3C Trace Context, section 3.2).
    const traceparent = `00-${id}-${randomBytes(8).toString('hex')}-01`;
    await running.ask('api/v1/key', { headers: { traceparent } });
    const since = performance.now();
    const outcome = await untilSent(running, id, since);
    return judgeTrace(outcome, performance.now() - since, config.tracing !== undefined);
  },
};

const Report = z.object({ outcome: z.string(), problem: z.string().optional() });
export type TraceOutcome = z.infer<typeof Report>;

async function untilSent(running: RunningServer, id: string, since: number): Promise<TraceOutcome> {
  for (;;) {
    try {
      const report = await readJson(running, `api/v1/traces/${id}`, Report);
      if (report.outcome !== 'waiting' || performance.now() - since > arriveMs) return report;
    } catch (error) {
      const code = error instanceof FeedError ? error.details.code : undefined;
      if (code === 'TRACING_OFF') return { outcome: 'off' };
      // It is known once the answer has been sent whole.
      if (code !== 'TRACE_UNKNOWN' || performance.now() - since > arriveMs) throw error;
    }
    await delay(pollMs);
  }
}

/** @param isSet whether the settings name a collector; the running server may have begun with others */
export function judgeTrace({ outcome, problem }: TraceOutcome, ms: number, isSet: boolean): Finding {
  if (outcome === 'exported')
    return ok(`a request and its trace are with the collector after ${(ms / 1000).toFixed(1)} s`);
  if (outcome === 'off')
    return isSet
      ? failed(
          'OTEL_EXPORTER_OTLP_ENDPOINT is set here, and the server traces nothing',
          'start the server with that setting',
        )
      : skip('the server traces nothing');
  const why = problem === undefined ? `it is ${outcome} after ${Math.round(ms / 1000)} s` : problem;
  return failed(
    `the collector does not take traces: ${why}`,
    'correct OTEL_EXPORTER_OTLP_ENDPOINT, or start the collector; the server works without it, and traces are lost',
  );
}
