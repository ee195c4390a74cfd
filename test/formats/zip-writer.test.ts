import { copyFile, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import AdmZip from 'adm-zip';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeZip, type ZipEntry } from '../../formats/zip-writer.ts';
import { hasProgram, mustRun } from '../kit/programs.ts';

describe('a zip', () => {
  it('gives back what was put in, for other readers too', async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // around the border of a piece, well and badly compressible
      fc.integer({ min: 65_530, max: 65_550 }).map((length) => new Uint8Array(length).fill(7)),
      fc.integer({ min: 131_065, max: 131_080 }).map(noise),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 4 }), async (contents) => {
        const path = await write(
          contents.map((bytes, index) => ({ name: `dir/${index}.bin`, content: [bytes] })),
        );

        const entries = new AdmZip(path).getEntries();

        expect(entries.map(({ entryName }) => entryName)).toEqual(
          contents.map((_, index) => `dir/${index}.bin`),
        );
        for (const [index, entry] of entries.entries()) {
          expect(entry.getData().equals(Buffer.from(contents[index]!))).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('has the same bytes whatever the chunks of its content', async () => {
    const bytes = noise(200_000);
    const whole = await readFile(await write([{ name: 'x', content: [bytes] }]));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1000, max: 150_000 }), async (size) => {
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
          bytes.subarray(n * size, (n + 1) * size),
        );

        expect((await readFile(await write([{ name: 'x', content: pieces }]))).equals(whole)).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it.skipIf(!hasProgram('unzip'))("is valid for unzip, with DOS' earliest time (needs unzip)", async () => {
    const path = await write([
      { name: 'empty.txt', content: [] },
      { name: 'tools/x.bin', content: [noise(100_000)] },
    ]);

    expect(await mustRun('unzip', ['-t', path])).toContain('No errors detected');
    expect(await mustRun('unzip', ['-v', path], { env: { TZ: 'Asia/Kolkata' } })).toMatch(
      /1980-01-01 00:00 .*tools\/x\.bin/,
    );
  });

  it('does not exist when its content breaks off', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'zip-'));
    async function* broken() {
      yield noise(100_000);
      throw new Error('the disk went away');
    }

    await expect(writeZip(join(dir, 'x.zip'), [{ name: 'x', content: broken() }])).rejects.toThrow(
      'the disk went away',
    );
    expect(await readdir(dir)).toEqual([]);
  });

  it('is at most a tenth larger than what zlib makes at level 6 of a Go program', async () => {
    const exe = await readFile(goProgram());

    const zip = await zippedGoProgram();

    expect(zip.length).toBeLessThan(deflateRawSync(exe, { level: 6 }).length * 1.1);
  });

  it.skipIf(!hasProgram('zip'))(
    'is at most a tenth larger than what `zip -6` makes of a Go program (needs zip)',
    async () => {
      const dir = await mkdtemp(join(tmpdir(), 'zip-'));
      await copyFile(goProgram(), join(dir, 'x'));
      await mustRun('zip', ['-6', '-q', 'theirs.zip', 'x'], { cwd: dir });

      const ours = await zippedGoProgram();

      expect(ours.length).toBeLessThan((await readFile(join(dir, 'theirs.zip'))).length * 1.1);
    },
  );
});

async function write(entries: readonly ZipEntry[]): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'zip-')), 'x.zip');
  await writeZip(path, entries);
  return path;
}

/** Repeatable bytes of middling entropy. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) & 0x3f;
  });
}

/** esbuild is one, some 10 MB, and is always here: tsx brings it. */
function goProgram(): string {
  const ofTsx = createRequire(createRequire(import.meta.url).resolve('tsx/package.json'));
  const ofEsbuild = createRequire(ofTsx.resolve('esbuild/package.json'));
  const bin = process.platform === 'win32' ? 'esbuild.exe' : 'bin/esbuild';
  return ofEsbuild.resolve(`@esbuild/${process.platform}-${process.arch}/${bin}`);
}

let zipped: Promise<Buffer> | undefined;

/** Made once: it takes seconds. */
function zippedGoProgram(): Promise<Buffer> {
  zipped ??= readFile(goProgram()).then(async (exe) =>
    readFile(await write([{ name: 'x', content: [exe] }])),
  );
  return zipped;
}
