import { readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createHashes } from '../../formats/digest.ts';
import { canCluster, startCluster } from '../kit/cluster.ts';
import { adminKey } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';

useDisk();

const mebibyte = 1024 ** 2;
const canMeasure = process.platform === 'linux';
/** Nothing depends on the size: 2 GB take minutes and the same memory. */
const largeMebibytes = Number(process.env.UPLOAD_MEBIBYTES ?? 400);

describe.skipIf(!canMeasure || !canCluster)('a large upload (needs Linux, PostgreSQL and versitygw)', () => {
  it('takes at most 64 MiB more memory on a replica', { timeout: 1_200_000 }, async () => {
    const cluster = await startCluster(1);
    try {
      const [replica] = cluster.replicas;
      const pid = replica?.pid() ?? 0;
      const address = (version: string) => `${replica?.url}/dl/tool/${version}/tool-windows-amd64.exe`;
      async function put(version: string, mebibytes: number): Promise<string> {
        const hashes = createHashes();
        const body = Readable.toWeb(Readable.from(filler(mebibytes, (piece) => hashes.update(piece))));
        const init = { method: 'PUT', body, duplex: 'half', headers: { 'X-NuGet-ApiKey': adminKey } };
        const answer = await fetch(address(version), init as RequestInit);
        expect(answer.status).toBe(201);
        return hashes.digest().sha256;
      }
      async function get(version: string): Promise<string> {
        const hashes = createHashes();
        for await (const piece of (await fetch(address(version))).body ?? []) hashes.update(piece);
        return hashes.digest().sha256;
      }
      // What is loaded and compiled at the first use is not what the large one costs.
      await put('1.0.0', 50);
      await get('1.0.0');
      const before = readMebibytes(pid, 'VmRSS');
      writeFileSync(`/proc/${pid}/clear_refs`, '5');

      const sent = await put('1.0.1', largeMebibytes);
      const grown = readMebibytes(pid, 'VmHWM') - before;
      const received = await get('1.0.1');
      process.stdout.write(
        `${largeMebibytes} MiB to an object store: ${grown} MiB more memory than before\n`,
      );

      expect(received).toBe(sent);
      expect(grown).toBeLessThanOrEqual(64);
    } finally {
      await cluster.stop();
    }
  });
});

function* filler(mebibytes: number, see: (piece: Buffer) => void): Generator<Buffer> {
  for (let at = 0; at < mebibytes; at += 1) {
    const piece = Buffer.alloc(mebibyte, 'bytes');
    piece.writeUInt32LE(at);
    see(piece);
    yield piece;
  }
}

/** The peak (VmHWM) is that since the kernel was told to forget the older one (clear_refs). */
function readMebibytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const [, kibibytes = '0'] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kibibytes) / 1024);
}
