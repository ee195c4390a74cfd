import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Generator, makeGenerator } from '../kit/generator.ts';
import { hasProgram } from '../kit/programs.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';

type Manner = 'hangs up' | 'says nothing';
type Mute = { readonly url: string; readonly host: string; asked(): number; stop(): void };

/** A host that takes connections and gives no answer. */
async function listenMutely(manner: Manner): Promise<Mute> {
  const sockets = new Set<Socket>();
  let asked = 0;
  const server: Server = createServer((socket) => {
    asked += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    if (manner === 'hangs up') socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    asked: () => asked,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A tool's source in YAML, of each kind. */
const sources = {
  github: 'repository: example/TOOL, assets: { amd64: TOOL.exe }',
  npm: 'packages: { amd64: "@example/TOOL" }, member: package/bin/TOOL.exe',
  'go-module': 'modules: [{ module: example.test/TOOL, main: example.test/TOOL }]',
} as const;
type Kind = keyof typeof sources;
const kinds = Object.keys(sources) as readonly Kind[];

/** Two tools of each kind, each with that source alone. */
async function writeTools(dir: string): Promise<void> {
  for (const tool of kinds.flatMap((kind) => [`${kind}-1`, `${kind}-2`])) {
    const kind = tool.slice(0, -2) as Kind;
    const text = `tool: ${tool}
command: ${tool}
first: 1.0.0
sources: [{ kind: ${kind}, ${sources[kind].replaceAll('TOOL', tool)} }]
module: [{ path: example.test/${tool} }]
trust: { require: [] }
package:
  summary: Says hello
  authors: Example
  license: MIT
  projectUrl: https://example.test/hello
`;
    await writeFile(join(dir, `${tool}.yaml`), text);
  }
}

const hasSources = hasProgram('npm') && hasProgram('go');

describe.skipIf(!hasSources)('where no source can be reached (needs npm and go)', () => {
  let testServer: TestServer;
  let generator: Generator;
  let hosts: Readonly<Record<Kind, Mute>>;

  async function start(manner: Manner): Promise<void> {
    const [github, npm, go] = [
      await listenMutely(manner),
      await listenMutely(manner),
      await listenMutely(manner),
    ];
    hosts = { github, npm, 'go-module': go };
    const toolsDir = await makeTempDir();
    await writeTools(toolsDir);
    generator = await makeGenerator({
      FEED_URL: `${testServer.url}/nuget`,
      FEED_API_KEY: testServer.adminKey,
      GITHUB_API_URL: github.url,
      npm_config_registry: `${npm.url}/`,
      GOPROXY: go.url,
      TOOLS_DIR: toolsDir,
    });
  }

  beforeAll(async () => {
    testServer = await startTestServer();
  });
  afterEach(async () => {
    for (const host of Object.values(hosts)) host.stop();
    await generator.stop();
  });
  afterAll(() => testServer.stop());

  /** The lines that name a host. */
  const naming = (text: string, kind: Kind): readonly string[] =>
    text.split('\n').filter((line) => line.includes(hosts[kind].host));

  it.each(['hangs up', 'says nothing'] as const)(
    'release:status ends with exit 4, and names and asks each host once that %s',
    async (manner) => {
      await start(manner);

      const status = await generator.run('release:status', []);

      expect(status.exitCode, status.stdout).toBe(4);
      expect(status.stdout.match(/source [\w-]+ cannot be reached/g)).toHaveLength(6);
      for (const kind of kinds) expect(naming(status.stdout, kind), kind).toHaveLength(1);
      expect(status.stdout.match(/for the same reason/g)).toHaveLength(3);
      expect(hosts.github.asked()).toBe(2);
    },
  );

  it('release:beta names each host once, and tries it as often as for one tool', async () => {
    await start('hangs up');
    const asked = () => kinds.map((kind) => hosts[kind].asked());

    await generator.run(
      'release:beta',
      kinds.map((kind) => `${kind}-1`),
    );
    const ofOneEach = asked();
    const people = await generator.run('release:beta', []);
    const ofTwoEach = asked().map((count, at) => count - ofOneEach[at]!);
    const machines = await generator.run('release:beta', ['--json']);

    expect(people.exitCode).toBe(4);
    expect(people.stderr.match(/cannot be reached/g)).toHaveLength(6);
    for (const kind of kinds) {
      expect(naming(people.stderr, kind), kind).toHaveLength(1);
      expect(naming(machines.stdout, kind), kind).toHaveLength(2);
    }
    expect(ofTwoEach).toEqual(ofOneEach);
  });
});
