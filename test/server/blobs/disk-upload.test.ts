import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { receiveFile } from '../../../server/blobs/disk-upload.ts';
import { makeTempDir } from '../../kit/test-server.ts';

let dir = '';
afterEach(() => rm(dir, { recursive: true, force: true }));

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('an upload that comes in single bytes', () => {
  it('needs no more memory than its bytes until it ends', async () => {
    dir = await makeTempDir();
    const count = 200_000;
    let tellReached: () => void = () => undefined;
    let letEnd: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (tellReached = resolve));
    const end = new Promise<void>((resolve) => (letEnd = resolve));
    async function* dribble(): AsyncGenerator<Buffer> {
      for (let at = 0; at < count; at += 1) yield Buffer.from([at % 251]);
      tellReached();
      await end;
    }
    collectGarbage();
    const before = process.memoryUsage().heapUsed;

    const receiving = receiveFile(dir, Readable.from(dribble()), 10 * count);
    await reached;
    // What is garbage already is held until the turn of the event loop ends.
    await setImmediate();
    collectGarbage();
    const held = process.memoryUsage().heapUsed - before;
    letEnd();
    const { digest, durable } = await receiving;
    await durable();

    expect(held).toBeLessThan(4 * 1024 ** 2);
    expect(digest).toEqual(digestBytes(Buffer.from(Array.from({ length: count }, (_one, at) => at % 251))));
  });
});
