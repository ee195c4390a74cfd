import { type Forge, type ForgeRelease, startForge } from './forge.ts';
import { type Generator, makeGenerator } from './generator.ts';
import { makeKey, startTestServer, type TestServer } from './test-server.ts';

export type ReleaseFixtureOptions = {
  /** What upstream has released, by repository, newest first. */
  readonly repositories?: Readonly<Record<string, readonly ForgeRelease[]>>;
  /** What the generator's key may do; all that an administrator may where nothing is said, and no key at all for `[]`. */
  readonly scopes?: readonly string[];
  /** A server that runs already; whoever started it stops it. */
  readonly server?: TestServer;
  /** More settings of the generator, or others than those of this fixture. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type ReleaseFixture = {
  readonly server: TestServer;
  readonly forge: Forge;
  readonly generator: Generator;
  stop(): Promise<void>;
};

/** What a release needs: a server, a forge, and a machine that releases from the one to the other. */
export async function startReleaseFixture({
  repositories = {},
  scopes,
  server: given,
  settings,
}: ReleaseFixtureOptions = {}): Promise<ReleaseFixture> {
  const server = given ?? (await startTestServer());
  const forge = await startForge();
  for (const [name, releases] of Object.entries(repositories)) forge.addRepository(name, releases);
  const generator = await makeGenerator({
    FEED_URL: `${server.url}/nuget`,
    FEED_API_KEY: await keyFor(server, scopes),
    GITHUB_API_URL: forge.apiUrl,
    ...settings,
  });
  return {
    server,
    forge,
    generator,
    async stop() {
      await generator.stop();
      await forge.stop();
      if (given === undefined) await server.stop();
    },
  };
}

async function keyFor(server: TestServer, scopes: readonly string[] | undefined): Promise<string> {
  if (scopes === undefined) return server.adminKey;
  return scopes.length === 0 ? '' : makeKey(server, scopes);
}
