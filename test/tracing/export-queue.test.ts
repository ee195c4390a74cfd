import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createExportQueue, type KeptTrace, type Outcome, type Send } from '../../tracing/export-queue.ts';

function traceOf(traceId: string, spans: number): KeptTrace {
  const span = { name: 'a', kind: 'internal', spanId: '1', parentSpanId: undefined } as const;
  return {
    traceId,
    isJoined: false,
    spans: new Array(spans).fill({ ...span, start: 1, end: 2, attributes: {} }),
  };
}

function queueWith(send: Send, limits = {}) {
  const outcomes: Record<string, Outcome> = {};
  const reasons: Record<string, string> = {};
  const reports: (string | undefined)[] = [];
  const queue = createExportQueue({
    send,
    settled({ traceId }, outcome, reason) {
      outcomes[traceId] = outcome;
      if (reason !== undefined) reasons[traceId] = reason;
    },
    report: (failure) => reports.push(failure?.message),
    limits: { waitMs: 5, ...limits },
  });
  return { queue, outcomes, reasons, reports };
}

describe('traces that wait to be sent', () => {
  it('go together, and never one trace in two batches', async () => {
    const batches: string[][] = [];
    const { queue, outcomes } = queueWith(
      async (traces) => void batches.push(traces.map(({ traceId }) => traceId)),
      { batchSpans: 10, waitMs: 60_000 },
    );
    for (const [id, spans] of [
      ['a', 3],
      ['b', 6],
      ['c', 11],
      ['d', 1],
    ] as const)
      queue.add(traceOf(id, spans));
    await queue.close();

    expect(batches).toEqual([['a', 'b'], ['c'], ['d']]);
    expect(outcomes).toEqual({ a: 'exported', b: 'exported', c: 'exported', d: 'exported' });
  });

  it('are dropped where there is no room, while others are being sent', async () => {
    let go = (): void => undefined;
    const { queue, outcomes } = queueWith(() => new Promise((resolve) => (go = resolve)), {
      spans: 4,
      batchSpans: 2,
    });
    queue.add(traceOf('sent', 2));
    queue.add(traceOf('waits', 3));
    queue.add(traceOf('too much', 2));
    expect(outcomes).toEqual({ 'too much': 'dropped' });
    go();
    await expect.poll(() => outcomes.sent).toBe('exported');
    go();
    await expect.poll(() => outcomes.waits).toBe('exported');
    await queue.close();
  });

  it('are sent also where they come just when the last batch has gone', async () => {
    const outcomes: Record<string, Outcome> = {};
    const queue = createExportQueue({
      send: async () => undefined,
      settled({ traceId }, outcome) {
        outcomes[traceId] = outcome;
        if (traceId === 'a') queueMicrotask(() => queue.add(traceOf('b', 1)));
      },
      report: () => undefined,
      limits: { waitMs: 5 },
    });
    queue.add(traceOf('a', 1));

    await expect.poll(() => outcomes).toEqual({ a: 'exported', b: 'exported' });
    await queue.close();
  });

  it('report a failure once, and once that it is over', async () => {
    const answers = [new Error('one'), new Error('two'), undefined, undefined];
    const { queue, outcomes, reasons, reports } = queueWith(async () => {
      const error = answers.shift();
      if (error) throw error;
    });
    for (const id of ['a', 'b', 'c', 'd']) {
      queue.add(traceOf(id, 1));
      await expect.poll(() => outcomes[id]).toBeDefined();
    }
    await queue.close();

    expect(outcomes).toEqual({ a: 'failed', b: 'failed', c: 'exported', d: 'exported' });
    expect(reports).toEqual(['one', undefined]);
    expect(reasons).toEqual({ a: 'one', b: 'two' });
  });

  it('hold nobody up at the end', async () => {
    const { queue, outcomes } = queueWith((_traces, signal) => delay(60_000, undefined, { signal }), {
      closeMs: 10,
      batchSpans: 1,
    });
    queue.add(traceOf('hangs', 1));
    queue.add(traceOf('waits', 1));
    await queue.close();
    queue.add(traceOf('late', 1));

    expect(outcomes).toEqual({ hangs: 'dropped', waits: 'dropped', late: 'dropped' });
  });
});
