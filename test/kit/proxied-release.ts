import { once } from 'node:events';
import { expect } from 'vitest';
import { type CuttingProxy, type Moment, startCuttingProxy } from './cutting-proxy.ts';
import { delveRelease, type Generator } from './generator.ts';
import { startReleaseFixture } from './release-fixture.ts';
import { startTestServer, type TestServer } from './test-server.ts';

export type ReleasedManifest = {
  readonly version: string;
  readonly architecture: Readonly<Record<string, { readonly url: string; readonly hash: string }>>;
};

export type ProxiedRelease = {
  readonly server: TestServer;
  /** Between generator and server. */
  readonly proxy: CuttingProxy;
  readonly generator: Generator;
  /** Runs a verb in a process of its own, which is killed at its nth request of that kind (SIGKILL: it can clean nothing up). */
  runAndKill(verb: string, args: readonly string[], at: Cut): Promise<void>;
  manifestAt(path: string): Promise<ReleasedManifest>;
  stop(): Promise<void>;
};
export type Cut = { readonly beginning: string; readonly moment: Moment; readonly nth?: number };

/** Server, forge with these versions of delve, and a generator whose every request to the server can be cut. */
export async function startProxiedRelease(versions: readonly string[]): Promise<ProxiedRelease> {
  const server = await startTestServer();
  const proxy = await startCuttingProxy(server.url);
  const fixture = await startReleaseFixture({
    server,
    repositories: { 'go-delve/delve': versions.map((version) => delveRelease(version)) },
    settings: { FEED_URL: `${proxy.url}/nuget` },
  });
  const { generator } = fixture;
  return {
    server,
    proxy,
    generator,
    async runAndKill(verb, args, { beginning, moment, nth }) {
      const child = generator.spawn(verb, args);
      let output = '';
      for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += chunk));
      proxy.trap(beginning, moment, () => child.kill('SIGKILL'), nth);
      const [, signal] = (await once(child, 'close')) as [number | null, string | null];
      expect(signal, output).toBe('SIGKILL');
    },
    manifestAt: async (path) => (await (await fetch(`${server.url}/${path}`)).json()) as ReleasedManifest,
    async stop() {
      await fixture.stop();
      await proxy.stop();
      await server.stop();
    },
  };
}
