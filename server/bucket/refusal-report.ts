import { fail } from '../errors.ts';
import { flushPkt, pktLine } from './pkt-line.ts';
import type { PushRequest } from './push-request.ts';

/** The content of a packet; git accepts at most 65516, including the band. */
const maxText = 1000;

/**
 * Answers a push that git never sees in the form in which git itself refuses one (gitprotocol-pack, "Report Status"), since git
 * does not show the body of an HTTP error to the user.
 * @throws FeedError PUSH_REFUSED for a client that takes no report
 */
export function refusalReport({ commands, capabilities }: PushRequest, lines: readonly string[]): Buffer {
  const isReported = capabilities.has('report-status') || capabilities.has('report-status-v2');
  if (!isReported || !capabilities.has('side-band-64k')) {
    fail('PUSH_REFUSED', { faults: lines.join(' ') });
  }
  const report = Buffer.concat([
    pktLine('unpack ok\n'),
    ...commands.map(({ ref }) => pktLine(`ng ${ref} refused\n`)),
    flushPkt,
  ]);
  const said = lines.map((line) => pktLine(`\x02${line.slice(0, maxText)}\n`));
  return Buffer.concat([...said, ...slices(report).map((slice) => pktLine('\x01', slice)), flushPkt]);
}

function slices(bytes: Buffer, size = 60_000): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_none, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
