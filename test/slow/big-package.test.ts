import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { rawZip } from '../formats/raw-zip.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { startServe } from '../kit/serve-process.ts';
import { adminKey, makeTempDir, pushNupkg } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';

useDisk();

const mebibyte = 1024 ** 2;
const bigBytes = 2150 * mebibyte;
const { bavail, bsize } = await statfs(tmpdir());
const hasRoom = bavail * bsize > 3 * bigBytes;
const canMeasure = process.platform === 'linux';

describe.skipIf(!canMeasure || !hasRoom)('a package of 2.1 GB (needs Linux and 7 GB of room)', () => {
  it('can be pushed and downloaded, and takes less than 100 MB of memory', { timeout: 600_000 }, async () => {
    const dataDir = await makeTempDir();
    const server = await startServe({ DATA_DIR: dataDir, ADMIN_API_KEY: adminKey, LOG_LEVEL: 'error' });
    const pid = server.child.pid ?? 0;
    // What is loaded and compiled at the first use is not what the big one costs.

    expect((await pushNupkg(server, makeNupkg({ id: 'small' }), adminKey)).status).toBe(201);
    await (await fetch(`${server.url}/nuget/package/small/1.0.0`)).arrayBuffer();
    const before = readMebibytes(pid, 'VmRSS');
    writeFileSync(`/proc/${pid}/clear_refs`, '5');

    const sent = createHash('sha256');
    const status = await push(server.url, bigPackage(), sent);
    const received = createHash('sha256');
    const download = await fetch(`${server.url}/nuget/package/big/1.0.0`);
    let bytes = 0;
    for await (const chunk of download.body ?? []) {
      bytes += chunk.length;
      received.update(chunk);
    }
    const grown = readMebibytes(pid, 'VmHWM') - before;
    process.stdout.write(`2.1 GB in and out: ${grown} MiB more memory than before\n`);

    expect([status, download.status]).toEqual([201, 200]);
    expect(bytes).toBeGreaterThan(bigBytes);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect(grown).toBeLessThan(100);
    await server.end('SIGKILL');
    rmSync(dataDir, { recursive: true });
  });
});

/** The peak (VmHWM) is that since the kernel was told to forget the older one (clear_refs). */
function readMebibytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const [, kibibytes = '0'] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kibibytes) / 1024);
}

/** As nuget.exe sends it: chunked, a form (spec nuget-v2 10.2). */
async function push(
  url: string,
  nupkg: Iterable<Buffer>,
  hash: { update(bytes: Buffer): unknown },
): Promise<number> {
  function* form(): Generator<Buffer> {
    yield Buffer.from('--b\r\nContent-Disposition: form-data; name=package; filename=package.nupkg\r\n\r\n');
    for (const chunk of nupkg) {
      hash.update(chunk);
      yield chunk;
    }
    yield Buffer.from('\r\n--b--\r\n');
  }
  const headers = { 'X-NuGet-ApiKey': adminKey, 'Content-Type': 'multipart/form-data; boundary=b' };
  const sending = request(`${url}/nuget/`, { method: 'PUT', headers });
  const answered = new Promise<number>((resolve, reject) => {
    sending.once('response', (answer) => resolve(answer.resume().statusCode ?? 0));
    sending.once('error', reject);
  });
  await pipeline(Readable.from(form()), sending);
  return answered;
}

/** A stored entry of one repeated mebibyte, made on the way: its header and all that follows it are those of a small zip. */
function* bigPackage(): Generator<Buffer> {
  const block = Buffer.alloc(mebibyte, 'go-win-tools ');
  let crc = 0;
  for (let n = 0; n < bigBytes; n += mebibyte) crc = crc32(block, crc);
  const sizes = { crc, packedBytes: bigBytes, bytes: bigBytes };
  const zip = rawZip({
    entries: [
      { name: 'big.nuspec', content: nuspec },
      { name: 'tools/big.bin', isStored: true, central: sizes, local: sizes },
    ],
  });
  const directory = zip.indexOf('PK\u0001\u0002');
  yield zip.subarray(0, directory);
  for (let n = 0; n < bigBytes; n += mebibyte) yield block;
  const rest = Buffer.from(zip.subarray(directory));
  rest.writeUInt32LE(directory + bigBytes, rest.length - 22 + 16);
  yield rest;
}

const nuspec =
  '<package><metadata><id>big</id><version>1.0.0</version><authors>a</authors><description>b</description></metadata></package>';
