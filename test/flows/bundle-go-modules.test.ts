import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadOrMakeKey } from '../../manifest-gen/sources/bundle/key.ts';
import { readFiles, signAgain, type TarContent } from '../kit/bundle.ts';
import { makeTinyExe } from '../kit/exe.ts';
import { type Generator, makeGenerator } from '../kit/generator.ts';
import { type GoModuleFiles, startGoProxy } from '../kit/go-proxy.ts';
import { goHere, makeHelloDir } from '../kit/hello-tool.ts';
import { hasProgram } from '../kit/programs.ts';
import { recordOn } from '../kit/record-on.ts';
import { makeSumDatabase, type SumDatabase } from '../kit/sumdb.ts';
import { makeKey, makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';

const modules: readonly GoModuleFiles[] = [
  {
    path: 'example.test/Greet',
    version: 'v1.4.0',
    files: {
      'go.mod': 'module example.test/Greet\n\ngo 1.21\n',
      'greet.go': 'package greet\n\nfunc Say() { println("hello") }\n',
    },
  },
  {
    path: 'example.test/hello',
    version: 'v1.0.0',
    files: {
      'go.mod': 'module example.test/hello\n\ngo 1.21\n\nrequire example.test/Greet v1.4.0\n',
      LICENSE: 'The MIT License (MIT)\n',
      'main.go': 'package main\n\nimport greet "example.test/Greet"\n\nfunc main() { greet.Say() }\n',
    },
  },
];

/** Built on the connected machine, taken in where there is neither a network nor Go. */
describe.skipIf(!hasProgram('go'))('a bundle of payloads built from a Go module (needs go)', () => {
  const database = makeSumDatabase(modules);
  let server: TestServer;
  let connected: Generator;
  let airGapped: Generator;
  let toolchain = '';
  let bundle = '';

  beforeAll(async () => {
    toolchain = `go${await goHere()}`;
    connected = await makeGenerator({ TOOLS_DIR: await makeHelloDir('[sumdb, pe, buildinfo]') });
    const proxy = await startGoProxy(modules, database);
    bundle = await create('hello.bundle', proxy.env);
    await proxy.stop();
  });
  /** Its feed stays empty: what was taken before is not looked at again. */
  beforeAll(async () => {
    server = await startTestServer();
    airGapped = await makeAirGapped(server);
  });
  afterAll(async () => {
    await connected?.stop();
    await airGapped?.stop();
    await server?.stop();
  });

  async function makeAirGapped(feed: TestServer): Promise<Generator> {
    return makeGenerator({
      FEED_URL: `${feed.url}/nuget`,
      FEED_API_KEY: await makeKey(feed, ['push:beta']),
      BUNDLE_KEY: (await bundleKey()).publicKey,
      GOSUMDB: database.setting,
      TOOLS_DIR: connected.env.TOOLS_DIR!,
      PATH: pathWithoutGo(),
    });
  }

  const bundleKey = () => loadOrMakeKey(join(connected.dir, 'data', 'bundle.key'));

  async function create(name: string, env: Readonly<Record<string, string>>): Promise<string> {
    const made = await connected.run('bundle:create', ['hello@1.0.0', '--out', name], { env });
    if (made.exitCode !== 0) throw new Error(made.stderr);
    return join(connected.dir, name);
  }

  function take(file: string, env: Readonly<Record<string, string>> = {}) {
    return airGapped.run('release:beta', ['--from', file], { env });
  }

  it("is accepted with the checksum database's proof, and says what that proves and what not", async () => {
    const feed = await startTestServer();
    const machine = await makeAirGapped(feed);
    expect(await machine.run('release:beta', ['--from', bundle])).toMatchObject({ exitCode: 0 });

    const record = await recordOn(feed, 'hello', '1.0.0-beta.1');
    expect(record).toMatchObject({
      builtBy: 'feed',
      source: { kind: 'bundle', upstream: 'example.test/hello@v1.0.0' },
    });
    expect(record.payloads[0]!.goModule).toMatchObject({ toolchain, version: 'v1.0.0' });
    const { keyId, detail, verdict } = record.evidence.find(({ kind }) => kind === 'sumdb')!;
    expect({ verdict, detail }).toEqual({
      verdict: 'passed',
      detail: `The Go checksum database has the module as ${sumOf(database, 'example.test/hello@v1.0.0')}, and the 1 others that the exes name as they name them: proved by the tree that sum.test signed. That the exes were built from them says the bundle signed by ${keyId}.`,
    });
    const verified = await machine.run('release:verify', ['hello', '--channel', 'beta', '--from', bundle]);
    expect(verified.exitCode, verified.stderr).toBe(0);
    expect(verified.stdout).toMatch(/passed +sumdb +example\.test\/hello@v1\.0\.0 .*proved by the tree/);
    await machine.stop();
    await feed.stop();
  });

  it('has the same bytes each time', async () => {
    const proxy = await startGoProxy(modules, database);
    const again = await create('again.bundle', proxy.env);
    await proxy.stop();
    expect(await readFile(again)).toEqual(await readFile(bundle));
  });

  it('is made without a proof where the database is off, and refused where one is required', async () => {
    const proxy = await startGoProxy(modules);
    const env = { ...proxy.env, TRUST_FILE: await trustWithoutSums() };
    const unproved = await create('unproved.bundle', env);
    await proxy.stop();
    expect((await readFiles(unproved)).map(([path]) => path)).not.toContain(proofPath);

    expect(await take(unproved)).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('expected evidence of kind sumdb'),
    });
    expect(
      await airGapped.run('release:beta', ['--dry-run', '--from', unproved], {
        env: { TRUST_FILE: env.TRUST_FILE },
      }),
    ).toMatchObject({ exitCode: 0 });
  });

  it.each<[string, string | undefined, string]>([
    ['Go’s own database is the one that counts', '', "not signed by Go's own checksum database"],
    ['another one of that name is', makeSumDatabase([]).setting, 'not signed by sum.test'],
    ['none is', 'off', 'expected evidence of kind sumdb'],
  ])('is refused where %s', async (_, GOSUMDB, sentence) => {
    const env = { GOSUMDB: GOSUMDB ?? '' };
    expect(await take(bundle, env)).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(sentence) });
  });

  const proofPath = 'hello/1.0.0/go-module/modules.sumdb.json';
  type Proof = {
    head: string;
    entries: readonly { readonly id: number; readonly text: string; readonly path: readonly string[] }[];
  };
  const inProof = (change: (proof: Proof) => Proof) =>
    inFile(proofPath, (text) => JSON.stringify(change(JSON.parse(text) as Proof)));
  const inContent = (change: (text: string) => string) => inFile('bundle.json', change);

  it.each<[string, (files: TarContent) => TarContent, string]>([
    [
      'no proof',
      inContent((text) => text.replace(/\{\s*"name": "modules.sumdb.json",[^}]*\}/, '')),
      'expected evidence of kind sumdb',
    ],
    ['a proof that is none', inFile(proofPath, () => '{}'), 'it cannot be read'],
    [
      'no proof of a dependency',
      inProof((proof) => ({
        ...proof,
        entries: proof.entries.filter(({ text }) => !text.includes('Greet')),
      })),
      'no proof of example.test/Greet@v1.4.0',
    ],
    [
      'another sum in the proof',
      inProof((proof) => ({
        ...proof,
        entries: proof.entries.map((one) => ({ ...one, text: one.text.replace('h1:', 'h1:x') })),
      })),
      'has another entry',
    ],
    [
      'an older head with another tree',
      inProof((proof) => ({ ...proof, head: makeSumDatabase(modules).signHead(1000, Buffer.alloc(32)) })),
      'not signed by sum.test',
    ],
    [
      'another tree by the same database',
      inProof((proof) => ({ ...proof, head: database.signHead(1000, Buffer.alloc(32)) })),
      'has another entry',
    ],
    [
      'the claim of another sum',
      inContent((text) => text.replace(/"sum": "h1:/g, '"sum": "h1:x')),
      'expected',
    ],
    [
      'another module in the exe',
      withExe('example.test/hello', 'h1:evil'),
      'expected example.test/hello@v1.0.0 h1:',
    ],
    ['another dependency in the exe', withExe('example.test/Greet', 'h1:evil'), 'found h1:evil'],
    ['an exe that says nothing', inFile(exePath(), () => 'MZ'), 'exes that name the modules'],
  ])('is refused with %s, even when signed with the right key', async (_, change, sentence) => {
    const bad = await signAgain(bundle, join(airGapped.dir, 'bad.bundle'), await bundleKey(), change);
    const refused = await take(bad);
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(sentence) });
    const feed = await (await fetch(`${server.url}/nuget/Packages?semVerLevel=2.0.0`)).text();
    expect(feed).not.toContain('<entry>');
  });

  function exePath(): string {
    return 'hello/1.0.0/go-module/amd64-hello.exe';
  }

  /** An exe that names the right modules, one of them with another sum. */
  function withExe(path: string, sum: string): (files: TarContent) => TarContent {
    return (files) => {
      const named = (one: string, version: string) => ({
        path: one,
        version,
        sum: one === path ? sum : sumOf(database, `${one}@${version}`),
      });
      const exe = makeTinyExe({
        module: named('example.test/hello', 'v1.0.0'),
        dependencies: [named('example.test/Greet', 'v1.4.0')],
        goVersion: toolchain,
      });
      return files.map(([name, bytes]) => [name, name === exePath() ? exe : bytes] as const);
    };
  }

  async function trustWithoutSums(): Promise<string> {
    const file = join(await makeTempDir(), 'trust.yaml');
    await writeFile(file, 'hello: {require: [pe, buildinfo]}\n');
    return file;
  }
});

/** git alone: the feed's bucket needs it. */
function pathWithoutGo(): string {
  const folders = (process.env.PATH ?? '').split(':');
  return folders.filter((folder) => !existsSync(join(folder, 'go'))).join(':');
}

function inFile(path: string, change: (text: string) => string) {
  return (files: TarContent): TarContent =>
    files.map(([name, bytes]) => {
      if (name !== path) return [name, bytes] as const;
      const changed = change(bytes.toString());
      if (changed === bytes.toString()) throw new Error(`nothing changed in ${path}`);
      return [name, Buffer.from(changed)] as const;
    });
}

function sumOf(database: SumDatabase, module: string): string {
  return database.entryOf(module).split('\n', 1)[0]!.split(' ')[2]!;
}
