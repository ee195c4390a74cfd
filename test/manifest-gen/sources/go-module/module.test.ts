import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Go, isSumChecked, type MachineGo, openGo } from '../../../../go-command/command.ts';
import { judgeGoError } from '../../../../go-command/go-fault.ts';
import type { Found } from '../../../../manifest-gen/release.ts';
import { installArgs } from '../../../../manifest-gen/sources/go-module/build.ts';
import { readLicenses } from '../../../../manifest-gen/sources/go-module/licenses.ts';
import { createGoModule } from '../../../../manifest-gen/sources/go-module/module.ts';
import { chooseToolchain, lastPatch, minorOf } from '../../../../manifest-gen/sources/go-module/toolchain.ts';
import type { Tool } from '../../../../manifest-gen/tool-file/tools.ts';
import { type Module, makeTinyExe } from '../../../kit/exe.ts';
import { type GoProxy, startGoProxy } from '../../../kit/go-proxy.ts';
import { goHere } from '../../../kit/hello-tool.ts';
import { hasProgram } from '../../../kit/programs.ts';
import {
  failureOf,
  makeTool,
  makeUpstreamFixture,
  type UpstreamFixture,
} from '../../../kit/upstream-fixture.ts';

const hasGo = hasProgram('go');

describe('the build of a Go payload', () => {
  it('is one command line that anyone can repeat (contract section 5)', () => {
    expect(installArgs('github.com/acme/hello/cmd/hello', 'v1.2.3', '')).toEqual([
      'install',
      '-trimpath',
      '-buildvcs=false',
      '-ldflags',
      '-s -w -buildid=',
      'github.com/acme/hello/cmd/hello@v1.2.3',
    ]);
    expect(installArgs('x', 'v1.2.3', 'exp.winarm64').slice(-3)).toEqual([
      '-tags',
      'exp.winarm64',
      'x@v1.2.3',
    ]);
  });
});

describe('the toolchain', () => {
  it.each([
    ['module x\n\ngo 1.20\n', 21],
    ['module x\n\ngo 1.22.0\n\ntoolchain go1.22.5\n', 22],
    ['module x\ngo 1.27.1', 27],
    ['module x\n', 21],
    ['module x\n// go 1.30\n', 21],
  ])('of %j is of minor %i', (goMod, minor) => {
    expect(minorOf(goMod)).toBe(minor);
  });

  it('is the last patch by number, whatever platform it is listed for', () => {
    const versions = [
      'go1.21.9.linux-amd64',
      'go1.21.13.windows-arm64',
      'go1.21.2.linux-amd64',
      'go1.211.99.x',
      'go1.21rc4.linux-amd64',
      'go1.22.1.linux-amd64',
    ];
    expect(
      lastPatch(
        versions.map((version) => `v0.0.1-${version}`),
        21,
      ),
    ).toBe(13);
    expect(lastPatch([], 21)).toBeUndefined();
  });

  const listed = ['go1.21.14', 'go1.22.9', 'go1.26.8'].map((name) => `v0.0.1-${name}.linux-amd64`);
  const go = {
    machine: { GOSUMDB: 'sum.test' },
    run: async () => ({ exitCode: 0, stdout: Buffer.from(JSON.stringify({ Versions: listed })), stderr: '' }),
  } as unknown as Go;
  const choose = (toolchain: string, isOnlyRepeated: boolean, named?: string): Promise<string> => {
    const toolchains = named === undefined ? [] : [{ versions: '*', go: named }];
    const about = { tool: 'x', version: '1.0.0', kind: 'go-module' } as const;
    return chooseToolchain(go, { toolchains }, '1.0.0', 'module x\n\ngo 1.22.0\n', about, {
      toolchain,
      isOnlyRepeated,
    });
  };

  it.each([
    ['go1.22.3', undefined, 'go1.22.3'],
    ['go1.21.3', undefined, 'go1.22.9'],
    ['go1.21.3', '1.21', 'go1.21.3'],
    ['go1.21.3', '1.21.14', 'go1.21.14'],
    ['go1.210.3', '1.21', 'go1.21.14'],
    ['go1.26.1', '1.21', 'go1.21.14'],
  ])(
    'that built it before, %s, stays where the tool file (%s) allows it: %s',
    async (recorded, named, expected) => {
      expect(await choose(recorded, false, named)).toBe(expected);
    },
  );

  it.each([
    ['go1.21.3', 'go1.21.3'],
    ['go1.26.1', 'go1.26.1'],
    // all but a plain release would run what lies on this machine, or none that can be fetched
    ['go1.20.14', 'go1.22.9'],
    ['go1.22', 'go1.22.9'],
    ['go1.22.3-mine', 'go1.22.9'],
    ['go1.22.3+path', 'go1.22.9'],
    ['go1.22.03', 'go1.22.9'],
    ['local', 'go1.22.9'],
    ['path', 'go1.22.9'],
    ['../../go', 'go1.22.9'],
    ['go1.22.3\nGOFLAGS=x', 'go1.22.9'],
    ['', 'go1.22.9'],
  ])('of a record, %j, is used again only when it is a release: %s', async (recorded, expected) => {
    expect(await choose(recorded, true)).toBe(expected);
  });
});

describe("Go's messages", () => {
  it.each([
    [
      'x@v9.9.9: reading https://proxy.test/x/@v/v9.9.9.info: 404 Not Found\n\tserver response: not found: x@v9.9.9: invalid version: unknown revision v9.9.9',
      'lacks',
    ],
    ['x@v9.9.9: reading https://proxy.test/x/@v/v9.9.9.info: 410 Gone', 'lacks'],
    [
      'x@v9.9.9: reading https://proxy.test/x/@v/v9.9.9.info: 403 Forbidden\n\tserver response: This module version is not available.',
      'lacks',
    ],
    ['x@v9.9.9: invalid version: unknown revision v9.9.9', 'lacks'],
    [
      'x@v1.0.0: reading https://proxy.test/x/@v/v1.0.0.info: 403 Forbidden\n\tserver response: quarantined',
      'unreachable',
    ],
    ['x@v1.0.0: reading https://proxy.test/x/@v/v1.0.0.info: 502 Bad Gateway', 'unreachable'],
    ['Get "https://proxy.test/x/@v/list": dial tcp: lookup proxy.test: no such host', 'unreachable'],
    ['Get "http://127.0.0.1:9/x": dial tcp 127.0.0.1:9: connect: connection refused', 'unreachable'],
    ['x@v1.0.0: module lookup disabled by GOPROXY=off', 'unreachable'],
    // numbers that are no status
    [
      'x@v1.404.0: Get "http://127.0.0.1:410/x/@v/v1.404.0.info": dial tcp 127.0.0.1:410: connect: connection refused',
      'unreachable',
    ],
    [
      'x@v1.404.0: verifying module: x@v1.404.0: Get "https://sum.test/lookup/x@v1.404.0": dial tcp: i/o timeout',
      'unreachable',
    ],
    // GOPROXY=direct on a machine without git
    [
      'x@v1.0.0: unable to resolve git version: failed to execute git version: exec: "git": executable file not found in $PATH',
      'unreachable',
    ],
    [
      'x@v1.0.0: verifying module: checksum mismatch\n\tdownloaded: h1:a\n\tsum.test: h1:b\n\nSECURITY ERROR',
      'refused',
    ],
    [
      'x@v1.0.0: verifying module: x@v1.0.0: reading https://sum.test/lookup/x@v1.0.0: 404 Not Found',
      'refused',
    ],
    [
      'x@v1.0.0: verifying module: x@v1.0.0: Get "https://sum.test/lookup/x": dial tcp: i/o timeout',
      'unreachable',
    ],
  ])('in %j comes to: %s', (text, expected) => {
    expect(judgeGoError(text)).toBe(expected);
  });

  it.each<[Partial<MachineGo>, string, boolean]>([
    [{}, 'github.com/acme/hello', true],
    [{ GOSUMDB: 'off' }, 'github.com/acme/hello', false],
    [{ GONOSUMDB: 'github.com/acme' }, 'github.com/acme/hello', false],
    [{ GONOSUMDB: 'github.com/acme/' }, 'github.com/acme/hello', false],
    [{ GONOSUMDB: '*.corp.test,github.com/*/hello' }, 'github.com/acme/hello', false],
    [{ GONOSUMDB: '*.corp.test' }, 'git.corp.test/hello', false],
    [{ GONOSUMDB: 'github.com/acme/hello/more' }, 'github.com/acme/hello', true],
    [{ GONOSUMDB: 'github.com/ac' }, 'github.com/acme/hello', true],
  ])('with %j of %s is vouched for by the checksum database: %s', (given, path, expected) => {
    const machine = {
      GOVERSION: '',
      GOPROXY: '',
      GONOPROXY: '',
      GOPRIVATE: '',
      GOSUMDB: 'sum.test',
      GONOSUMDB: '',
    };
    expect(isSumChecked({ ...machine, ...given }, path)).toBe(expected);
  });
});

describe('a machine without Go', () => {
  it('learns which Go it needs, exit code 4', async () => {
    const fixture = await makeUpstreamFixture({ env: { PATH: tmpdir(), Path: tmpdir() } });
    const failure = await failureOf(createGoModule(fixture.settings).find(makeGoTool('1.21.13'), '1.0.0'));
    expect(failure).toMatchObject({
      code: 'TOOLCHAIN_MISSING',
      exitCode: 4,
      message: expect.stringContaining('1.21'),
    });
    await fixture.stop();
  });
});

describe('a Go module', () => {
  let proxy: GoProxy;
  let fixture: UpstreamFixture;
  let local = '';
  beforeAll(async () => {
    if (!hasGo) return;
    local = await goHere();
    proxy = await startGoProxy([
      {
        path: 'example.test/hello',
        version: 'v1.0.0',
        files: {
          'go.mod': 'module example.test/hello\n\ngo 1.21\n',
          'main.go': 'package main\n\nfunc main() { undefined() }\n',
        },
      },
      {
        path: 'example.test/hello',
        version: 'v1.1.0',
        files: {
          'go.mod': 'module example.test/hello\n\ngo 1.99\n',
          'main.go': 'package main\n\nfunc main() {}\n',
        },
      },
      {
        path: 'example.test/dep',
        version: 'v1.0.0',
        files: {
          'go.mod': 'module example.test/dep\n\ngo 1.99\n',
          'dep.go': 'package dep\n',
          'license.go': 'package dep\n',
          LICENSE: await readFile(join(process.cwd(), 'LICENSE'), 'utf8'),
        },
      },
    ]);
    fixture = await makeUpstreamFixture({
      env: { ...proxy.env, GOFLAGS: '-mod=vendor', GOEXPERIMENT: 'nosuch', GOBIN: tmpdir() },
    });
  });
  afterAll(async () => {
    await proxy?.stop();
    await fixture?.stop();
  });

  it.skipIf(!hasGo)(
    'that does not compile ends with exit code 1 and what the compiler said (needs go)',
    async () => {
      const upstream = createGoModule(fixture.settings);
      const found = (await upstream.find(makeGoTool(local), '1.0.0')) as Found;
      const failure = await failureOf(upstream.fetch(found, fixture.report));
      expect(failure).toMatchObject({
        code: 'BUILD_FAILED',
        exitCode: 1,
        message: expect.stringContaining('undefined: undefined'),
      });
      expect(fixture.said).toContainEqual(expect.stringContaining('undefined: undefined'));
    },
  );

  it.skipIf(!hasGo)(
    'of an exe has its licence by its files, and is refused when it is another than the exe has (needs go)',
    async () => {
      const about = { tool: 'hello', version: '1.0.0', kind: 'go-module' } as const;
      const go = await openGo(fixture.settings, about);
      const spec = 'example.test/dep@v1.0.0';
      const { stdout } = await go.run({ args: ['mod', 'download', '-json', spec] });
      const { Sum: sum } = JSON.parse(stdout.toString('utf8')) as { Sum: string };
      const exeWith = async (dependency: Module) => {
        const path = join(await fixture.settings.cache.npm(), `${dependency.sum!.length}.exe`);
        const module = { path: 'example.test/hello', version: 'v1.0.0' };
        await writeFile(path, makeTinyExe({ module, dependencies: [dependency] }));
        return [{ path }];
      };
      const dep = { path: 'example.test/dep', version: 'v1.0.0' };

      expect(await readLicenses(go, await exeWith({ ...dep, sum }), about)).toEqual({ [spec]: 'MIT' });
      expect(
        await failureOf(readLicenses(go, await exeWith({ ...dep, sum: 'h1:none' }), about)),
      ).toMatchObject({ code: 'REFUSED', exitCode: 3, message: expect.stringContaining(spec) });
      expect(
        await failureOf(readLicenses(go, await exeWith({ ...dep, version: 'v1.0.9', sum }), about)),
      ).toMatchObject({ code: 'SOURCE_UNREACHABLE', exitCode: 4 });
    },
  );

  it.skipIf(!hasGo)('comes through a proxy whose user and password are never shown (needs go)', async () => {
    const GOPROXY = proxy.url.replace('://', '://robot:hidden@');
    const settings = { ...fixture.settings, env: { ...fixture.settings.env, GOPROXY, GOSUMDB: 'off' } };
    const go = await openGo(settings, { tool: 'hello', version: '1.0.0', kind: 'go-module' });
    const lines: string[] = [];

    const args = ['mod', 'download', 'example.test/nothing@v1.0.0'];
    const { stderr } = await go.run({ args, onLine: (line) => lines.push(line) });

    expect(lines.join('\n')).toContain('example.test/nothing');
    expect(`${stderr}\n${lines.join('\n')}`).not.toMatch(/robot|hidden/);
  });

  it.skipIf(!hasGo)('for a Go that the proxy does not have ends with exit code 4 (needs go)', async () => {
    const failure = await failureOf(createGoModule(fixture.settings).find(makeGoTool(), '1.1.0'));
    expect(failure).toMatchObject({ code: 'TOOLCHAIN_UNAVAILABLE', exitCode: 4 });
  });

  it.skipIf(!hasGo)('is absent from the checksum database when that is off (needs go)', async () => {
    const { details } = (await createGoModule(fixture.settings).find(makeGoTool(local), '1.0.0')) as Found;
    expect(JSON.stringify(details)).toContain('"isSumChecked":false');
  });
});

function makeGoTool(go?: string): Tool {
  const modules = [{ module: 'example.test/hello', main: 'example.test/hello' }];
  const toolchains = go === undefined ? [] : [{ versions: '*', go }];
  return makeTool({ sources: [{ kind: 'go-module', modules, toolchains }] });
}
