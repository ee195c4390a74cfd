import { mkdtemp, open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGoBuildInfo } from '../../formats/go-buildinfo.ts';
import { buildGoExe, buildInfo, hasGo, makeTinyExe } from '../kit/exe.ts';
import { mustRun } from '../kit/programs.ts';

const gadget = { path: 'example.test/gadget', version: 'v1.2.3', sum: 'h1:x' };

describe('Go build info', () => {
  it.skipIf(!hasGo).each(['amd64', 'arm64'] as const)(
    'is read from what go builds for windows/%s, as go itself reads it (needs go)',
    async (architecture) => {
      const exe = await buildGoExe(await folder(), gadget, architecture);

      const info = await readPath(exe);
      const [head = '', ...lines] = (await mustRun('go', ['version', '-m', exe])).trim().split('\n');

      expect(`${exe}: ${info?.goVersion}`).toBe(head);
      expect(lines).toContain(`\tpath\t${info?.path}`);
      expect(lines).toContain(`\tmod\t${info?.module?.path}\t${info?.module?.version}\t${info?.module?.sum}`);
      expect(info?.module).toMatchObject({ path: 'example.test/gadget', version: 'v1.2.3' });
    },
  );

  it('names toolchain, main package and module', async () => {
    expect(await read(makeTinyExe({ module: gadget, goVersion: 'go1.22.2' }))).toEqual({
      goVersion: 'go1.22.2',
      path: 'example.test/gadget',
      module: gadget,
      dependencies: [{ path: 'example.test/dep', version: 'v1.0.0', sum: 'h1:none' }],
      settings: { GOOS: 'windows' },
    });
  });

  it('is not what a constant in the program says: only a 16-byte aligned place counts', async () => {
    const decoy = Buffer.concat([
      Buffer.alloc(8),
      buildInfo('go1.26.8', { path: 'example.test/decoy', version: 'v9.9.9' }),
    ]);
    const before = Buffer.concat([decoy, Buffer.alloc(16 - (decoy.length % 16))]);

    expect((await read(makeTinyExe({ module: gadget, before })))?.module).toEqual(gadget);
    expect(await read(makeTinyExe({ before }))).toBeUndefined();
  });

  it('is found across the boundary of two reads', async () => {
    for (const gap of [0, 16, 32, 48]) {
      const exe = makeTinyExe({ module: gadget, before: Buffer.alloc((1 << 20) - gap) });
      expect((await read(exe))?.module).toEqual(gadget);
    }
  });

  it('names the replacement when the module was replaced', async () => {
    const exe = makeTinyExe({ module: { ...gadget, sum: 'h1:x\n=>\texample.test/fork\tv0.0.1\th1:y' } });

    expect((await read(exe))?.module).toEqual({ path: 'example.test/fork', version: 'v0.0.1', sum: 'h1:y' });
  });

  it('lists what it was built from, with replacements in place of the originals', async () => {
    const lines = ['dep\texample.test/a\tv1.0.0\th1:a', 'dep\texample.test/b\tv2.0.0', '=>\t../b\t'];
    const exe = makeTinyExe({ module: { ...gadget, sum: `h1:x\n${lines.join('\n')}` } });

    const info = await read(exe);

    expect(info?.module).toEqual(gadget);
    expect(info?.dependencies).toEqual([
      { path: 'example.test/a', version: 'v1.0.0', sum: 'h1:a' },
      { path: '../b', version: '', sum: '' },
      { path: 'example.test/dep', version: 'v1.0.0', sum: 'h1:none' },
    ]);
  });

  it.each<[string, Buffer]>([
    ['an exe of another language', makeTinyExe()],
    ['an empty file', Buffer.alloc(0)],
    ['the magic without a program around it', buildInfo('go1.26.8', gadget)],
    ['an exe that ends within its headers', makeTinyExe({ module: gadget }).subarray(0, 0x120)],
    ['an exe that ends within the info', makeTinyExe({ module: gadget }).subarray(0, 0x460)],
    ['strings by pointer, as before Go 1.18', withInfo((info) => info.writeUInt8(0, 15))],
    ['a length that leads out of the section', withInfo((info) => info.fill(0x7f, 32, 33))],
    ['a length without end', withInfo((info) => info.fill(0xff, 32, 48))],
    ['a header far behind the file', withExe((exe) => exe.writeUInt32LE(0xffff_fff0, 0x3c))],
    ['ten thousand sections', withExe((exe) => exe.writeUInt16LE(10_000, 0x86))],
  ])('is absent from %s', async (_, bytes) => {
    expect(await read(bytes)).toBeUndefined();
  });

  it('is read from a section that claims 4 GiB, without allocating them', async () => {
    const sectionBytes = 0x188 + 16;
    const info = await read(withExe((exe) => exe.writeUInt32LE(0xffff_ffff, sectionBytes)));

    expect(info?.module).toEqual(gadget);
  });

  it('is read or absent, never an exception or endless, whatever the bytes', async () => {
    const exe = makeTinyExe({ module: gadget });
    const change = fc.tuple(fc.nat(exe.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
        const bytes = Buffer.from(exe);
        for (const [at, value] of changes) bytes[at] = value;

        const info = await read(bytes);

        expect(info === undefined || typeof info.goVersion === 'string').toBe(true);
      }),
    );
  });
});

function withExe(change: (exe: Buffer) => void): Buffer {
  const exe = makeTinyExe({ module: gadget });
  change(exe);
  return exe;
}

/** Changes the info where it lies: after the headers and 16 empty bytes. */
function withInfo(change: (info: Buffer) => void): Buffer {
  return withExe((exe) => change(exe.subarray(0x410)));
}

function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'buildinfo-'));
}

async function read(bytes: Buffer) {
  const path = join(await folder(), 'x.exe');
  await writeFile(path, bytes);
  return readPath(path);
}

async function readPath(path: string) {
  const file = await open(path, 'r');
  try {
    return await readGoBuildInfo(file);
  } finally {
    await file.close();
  }
}
