import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeCopy } from '../../../server/blobs/cached-copy.ts';
import { taken } from '../../kit/taken.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gwt-copy-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}
const whole = { start: 0, end: 5 };

it('can be read until it is released, also when it is complete', async () => {
  const copy = writeCopy(pieces('abc', 'def'), join(dir, 'copy'));
  await copy.written;

  expect((await taken(async (range, take) => void (await copy.readTo(range, take)), whole)).toString()).toBe(
    'abcdef',
  );
  const slow = taken(async (range, take) => void (await copy.readTo(range, take)), { start: 2, end: 5 });
  await copy.release();

  expect((await slow).toString()).toBe('cdef');
});

it('returns how far it came when it breaks off, before it has begun too', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('abc');
    throw new Error('cut');
  }
  const copy = writeCopy(broken(), join(dir, 'copy'));
  const none = writeCopy(pieces('abcdef'), join(dir, 'missing', 'copy'));

  expect(await copy.readTo(whole, async () => undefined)).toBe(3);
  await expect(copy.written).rejects.toThrow('cut');
  expect(await none.readTo(whole, async () => undefined)).toBe(0);
  await expect(none.written).rejects.toThrow('ENOENT');
  await copy.release();
  await none.release();
});
