import { describe, expect, it } from 'vitest';
import { newSpanId, newTraceId, readTraceParent, traceParentHeader } from '../../tracing/trace-context.ts';

const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];

describe('the header traceparent', () => {
  it.each([
    [`00-${traceId}-${spanId}-01`, { traceId, spanId, isSampled: true }],
    [`00-${traceId}-${spanId}-00`, { traceId, spanId, isSampled: false }],
    [`00-${traceId}-${spanId}-03`, { traceId, spanId, isSampled: true }],
    [`cc-${traceId}-${spanId}-01-later`, { traceId, spanId, isSampled: true }],
    [`00-${traceId}-${spanId}-01-more`, undefined],
    [`ff-${traceId}-${spanId}-01`, undefined],
    [`00-${traceId.toUpperCase()}-${spanId}-01`, undefined],
    [`00-${'0'.repeat(32)}-${spanId}-01`, undefined],
    [`00-${traceId}-${'0'.repeat(16)}-01`, undefined],
    [`00-${traceId}-${spanId}-1`, undefined],
    [`00-${traceId}-${spanId}-01\n`, undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (header, expected) => {
    expect(readTraceParent(header)).toEqual(expected);
  });

  it('is read as it is written', () => {
    const parent = { traceId: newTraceId(), spanId: newSpanId(), isSampled: true };

    expect(readTraceParent(traceParentHeader(parent))).toEqual(parent);
  });
});
