import { pbkdf2 } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeWhole, pipeToFile } from '../../formats/whole-file.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'whole-file-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

it('makes a file that is never seen incomplete, by several at once', async () => {
  const path = join(dir, 'file');

  const made = await Promise.all(
    ['one', 'two', 'three'].map((text) =>
      makeWhole(path, async (part) => {
        await writeFile(part, text.slice(0, 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
        await writeFile(part, text);
        return text;
      }),
    ),
  );

  expect(made).toEqual(['one', 'two', 'three']);
  expect(made).toContain(await readFile(path, 'utf8'));
  expect(await readdir(dir)).toEqual(['file']);
});

it('leaves the old one when the new one is not made, and nothing else', async () => {
  const path = join(dir, 'file');
  await writeFile(path, 'old');

  const making = makeWhole(path, async (part) => {
    await writeFile(part, 'half');
    throw new Error('no more room');
  });

  await expect(making).rejects.toThrow('no more room');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(dir)).toEqual(['file']);
});

it('has opened the file of a stream that breaks before it says so, so that it can be removed then', async () => {
  const path = join(dir, 'file');
  // a busy machine: Node's file system has four threads
  const busy = Array.from({ length: 8 }, () => promisify(pbkdf2)('', '', 100_000, 64, 'sha512'));
  const source = new PassThrough();
  setImmediate(() => source.destroy(new Error('broke off')));

  await expect(pipeToFile(path, [source])).rejects.toThrow('broke off');

  expect(existsSync(path)).toBe(true);
  await Promise.all(busy);
});
