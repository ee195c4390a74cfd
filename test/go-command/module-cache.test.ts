import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corruptModules } from '../../go-command/module-cache.ts';
import { corruptToolchains } from '../../go-command/toolchain.ts';
import type { Found } from '../../manifest-gen/release.ts';
import { createGoModule } from '../../manifest-gen/sources/go-module/module.ts';
import { type GoProxy, startGoProxy } from '../kit/go-proxy.ts';
import { goHere } from '../kit/hello-tool.ts';
import { hasProgram } from '../kit/programs.ts';
import { makeSumDatabase } from '../kit/sumdb.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { failureOf, makeTool, makeUpstreamFixture, type UpstreamFixture } from '../kit/upstream-fixture.ts';

const hasGo = hasProgram('go');

const hello = {
  path: 'example.test/hello',
  version: 'v1.0.0',
  files: {
    'go.mod': 'module example.test/hello\n\ngo 1.21\n\nrequire example.test/Dep v1.2.0\n',
    'main.go': 'package main\n\nimport "example.test/Dep"\n\nfunc main() { println(dep.Word) }\n',
  },
};
const dep = {
  path: 'example.test/Dep',
  version: 'v1.2.0',
  files: {
    'go.mod': 'module example.test/Dep\n\ngo 1.21\n',
    'dep.go': 'package dep\n\nconst Word = "genuine words"\n',
  },
};
const evilDep = {
  ...dep,
  files: { ...dep.files, 'dep.go': 'package dep\n\nconst Word = "planted words"\n' },
};

describe("Go's messages about the module cache", () => {
  const corrupt = { path: 'example.test/Dep', version: 'v1.2.0' };
  it.each([
    ['example.test/Dep v1.2.0: dir has been modified (/cache/example.test/!dep@v1.2.0)\n', [corrupt]],
    ['go: example.test/Dep v1.2.0: zip has been modified (/cache/v1.2.0.zip)\n', [corrupt]],
    ['example.test/Dep v1.2.0: missing ziphash: open x: no such file', [corrupt]],
    ['go: example.test/Dep@v1.2.0: verifying module: checksum mismatch\n\tdownloaded: h1:a', [corrupt]],
    ['verifying example.test/Dep@v1.2.0: checksum mismatch', [corrupt]],
    [
      '{"Error": "x@v1.0.0 requires\\n\\texample.test/Dep@v1.2.0: verifying go.mod: checksum mismatch\\n"}',
      [{ ...corrupt, isGoMod: true }],
    ],
    ['verifying example.test/Dep@v1.2.0/go.mod: checksum mismatch', [{ ...corrupt, isGoMod: true }]],
    ['example.test/Dep@v1.2.0: reading http://proxy.test: 404 Not Found', []],
    // it would be removed
    ['../../home v1.2.0: dir has been modified', []],
    ['verifying example.test/..@v1.2.0: checksum mismatch', []],
    ['verifying /etc@v1.2.0: checksum mismatch', []],
  ])('in %j names %j', (said, expected) => {
    const named = corruptModules(said);
    expect(named).toHaveLength(expected.length);
    for (const one of expected) expect(named).toContainEqual({ isGoMod: false, ...one });
  });
});

describe.skipIf(!hasGo)('a Go module cache with changed bytes (needs go)', () => {
  let proxy: GoProxy;
  let fixture: UpstreamFixture;
  beforeAll(async () => {
    proxy = await startGoProxy([hello, dep], makeSumDatabase([hello, dep]));
    fixture = await makeUpstreamFixture({ env: proxy.env });
  });
  afterAll(async () => {
    await proxy?.stop();
    await fixture?.stop();
  });

  const goTool = async () =>
    makeTool({
      sources: [
        {
          kind: 'go-module',
          modules: [{ module: hello.path, main: hello.path }],
          toolchains: [{ versions: '*', go: await goHere() }],
        },
      ],
    });

  /** What was built with a cache that has everything already, and was changed before the build. */
  async function build(change: (modDir: string) => Promise<void>): Promise<string> {
    const upstream = createGoModule(fixture.settings);
    const tool = await goTool();
    const built = async () => {
      const { assets } = await upstream.fetch((await upstream.find(tool, '1.0.0')) as Found, fixture.report);
      return assets[0]!;
    };
    const genuine = await built();
    fixture.said.length = 0;
    // the exes themselves, which are kept by their digest
    await writeFile(genuine.path, 'x');
    await change(join(fixture.settings.cache.rootDir, 'go', 'mod'));
    const again = await built();
    expect(again.digest.sha256).toBe(genuine.digest.sha256);
    return readFile(again.path, 'latin1');
  }

  it.each<[string, string, (modDir: string) => Promise<void>]>([
    [
      'a file of a module that is unpacked',
      'example.test/Dep@v1.2.0',
      (modDir) => plant(join(modDir, 'example.test', '!dep@v1.2.0', 'dep.go'), evilDep.files['dep.go']),
    ],
    [
      'one more file in the module itself',
      'example.test/hello@v1.0.0',
      (modDir) =>
        plant(
          join(modDir, 'example.test', 'hello@v1.0.0', 'more.go'),
          'package main\n\nfunc init() { println("planted words") }\n',
        ),
    ],
    [
      'a zip and its sum',
      'example.test/Dep@v1.2.0',
      async (modDir) => {
        const other = await startGoProxy([hello, evilDep]);
        const machine = await makeUpstreamFixture({ env: other.env });
        const upstream = createGoModule(machine.settings);
        await upstream.fetch((await upstream.find(await goTool(), '1.0.0')) as Found, machine.report);
        const from = join(machine.settings.cache.rootDir, 'go', 'mod');
        const downloads = join('cache', 'download', 'example.test', '!dep', '@v');
        for (const name of ['v1.2.0.zip', 'v1.2.0.ziphash'])
          await plant(join(modDir, downloads, name), await readFile(join(from, downloads, name)));
        const unpacked = join('example.test', '!dep@v1.2.0', 'dep.go');
        await plant(join(modDir, unpacked), await readFile(join(from, unpacked)));
        await other.stop();
        await machine.stop();
      },
    ],
    [
      'a go.mod',
      'example.test/Dep@v1.2.0',
      (modDir) =>
        plant(
          join(modDir, 'cache', 'download', 'example.test', '!dep', '@v', 'v1.2.0.mod'),
          'module example.test/Dep\n\ngo 1.20\n',
        ),
    ],
    [
      'half a zip',
      'example.test/Dep@v1.2.0',
      (modDir) =>
        plant(join(modDir, 'cache', 'download', 'example.test', '!dep', '@v', 'v1.2.0.zip'), 'PK half'),
    ],
  ])('fetches the module anew and says so: %s', async (_, spec, change) => {
    const exe = await build(change);

    expect(exe).toContain('genuine words');
    expect(exe).not.toContain('planted words');
    expect(fixture.said.filter((line) => line.startsWith('warning'))).toEqual([
      `warning hello ${spec} in the Go module cache differs from what was checked; it is fetched and checked again`,
    ]);
  });

  it('refuses a module that still differs after that, exit code 3', async () => {
    const other = await startGoProxy([hello, evilDep], makeSumDatabase([hello, dep]));
    const machine = await makeUpstreamFixture({ env: other.env });
    const upstream = createGoModule(machine.settings);
    const found = (await upstream.find(await goTool(), '1.0.0')) as Found;

    expect(await failureOf(upstream.fetch(found, machine.report))).toMatchObject({
      code: 'REFUSED',
      exitCode: 3,
      message: expect.stringContaining('example.test/Dep'),
    });
    // nothing of it was in the cache
    expect(machine.said.filter((line) => line.startsWith('warning'))).toEqual([]);
    await other.stop();
    await machine.stop();
  });
});

describe('a toolchain in the module cache', () => {
  const version = 'v0.0.1-go1.25.1.linux-amd64';

  /** Two files, and the go.mod that Go makes of one of them. */
  async function unpack(): Promise<{ readonly modDir: string; readonly dir: string }> {
    const modDir = await makeTempDir();
    const dir = join(modDir, 'golang.org', `toolchain@${version}`);
    await plant(join(dir, 'bin', 'go'), 'a program\n');
    await plant(join(dir, 'src', '_go.mod'), 'module std\n');
    await plant(join(dir, 'src', 'go.mod'), 'module std\n');
    const downloads = join(modDir, 'cache', 'download', 'golang.org', 'toolchain', '@v');
    await plant(join(downloads, `${version}.ziphash`), 'h1:JOX6zcJKBRtBt/g3BMzQTEUgtE7/zV4A8ke6bLPF+EQ=\n');
    return { modDir, dir };
  }

  it('is as it was checked, with the go.mod files that Go adds', async () => {
    const { modDir } = await unpack();
    expect(await corruptToolchains(modDir, 'go1.25.1')).toEqual([]);
  });

  it.each([
    ['another program', ['bin', 'go'], 'another program\n'],
    ['one more file', ['pkg', 'tool', 'link'], 'a linker\n'],
    ['another go.mod', ['src', 'go.mod'], 'module std2\n'],
  ])('is not with %s', async (_, path, text) => {
    const { modDir, dir } = await unpack();
    await plant(join(dir, ...path), text);
    expect(await corruptToolchains(modDir, 'go1.25.1')).toEqual([{ path: 'golang.org/toolchain', version }]);
    expect(await corruptToolchains(modDir, 'go1.25')).toEqual([]);
  });
});

/** Also where Go took the right to write away. */
async function plant(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await chmod(dirname(path), 0o755);
  await chmod(path, 0o644).catch(() => {});
  await writeFile(path, content);
}
