import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readFetch } from '../../../server/bucket/fetch-request.ts';
import { pktLine } from '../../../server/bucket/pkt-line.ts';

const oid = 'a'.repeat(40);
const [flush, delimiter] = ['0000', '0001'].map((text) => Buffer.from(text)) as [Buffer, Buffer];

function lines(count: number, text: string): Buffer[] {
  return Array.from({ length: count }, () => pktLine(`${text}\n`));
}
function fetchOf(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([pktLine('command=fetch'), delimiter, pktLine(`want ${oid}`), ...parts, flush]);
}
function inPieces(bytes: Buffer): Readable {
  return Readable.from([bytes.subarray(0, 3), bytes.subarray(3, 1000), bytes.subarray(1000)]);
}

describe('the request of a fetch', () => {
  it.each([
    ['of an ordinary clone', fetchOf(pktLine('done'))],
    ['with many wants and haves', fetchOf(...lines(5_000, `want ${oid}`), ...lines(5_000, `have ${oid}`))],
    ['of a shallow clone', fetchOf(...lines(20_000, `shallow ${oid}`), pktLine('deepen 1'))],
    ['that leaves out some', fetchOf(...lines(100, 'deepen-not refs/tags/buf/v1.0.0'))],
    ['that is broken, which git says better', Buffer.from('0003zzzz')],
    ['that is cut off', fetchOf().subarray(0, 30)],
    ['that is empty', Buffer.alloc(0)],
  ])('%s is passed on unchanged', async (_what, request) => {
    expect((await readFetch(inPieces(request))).equals(request)).toBe(true);
  });

  it.each([
    ['deepen-not', fetchOf(...lines(101, 'deepen-not refs/heads/beta')), '100 lines of deepen-not'],
    ['shallow', fetchOf(...lines(20_001, `shallow ${oid}`)), '20000 lines of shallow'],
    ['lines', Buffer.from('0000'.repeat(200_001)), '200000 lines'],
    [
      'deepen-not in upper-case lengths, as git takes them',
      Buffer.concat(
        lines(101, 'deepen-not x').map((line) =>
          Buffer.from(line.toString().replace(/^..../, (prefix) => prefix.toUpperCase())),
        ),
      ),
      '100 lines of deepen-not',
    ],
    [
      'deepen-not behind a flush, as protocol 0 has them',
      Buffer.concat([flush, ...lines(101, 'deepen-not x')]),
      '100 lines of deepen-not',
    ],
  ])('with too many %s is refused', async (_what, request, found) => {
    await expect(readFetch(inPieces(request))).rejects.toMatchObject({
      code: 'PUSH_TOO_LARGE',
      message: expect.stringContaining(found),
    });
  });
});
