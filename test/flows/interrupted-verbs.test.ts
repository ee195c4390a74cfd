import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CuttingProxy, startCuttingProxy } from '../kit/cutting-proxy.ts';
import { type Forge, startForge } from '../kit/forge.ts';
import { delveRelease, type Generator, makeGenerator } from '../kit/generator.ts';
import { makeKey, startTestServer, type TestServer } from '../kit/test-server.ts';
import { makeVuln, writeVulnDb } from '../kit/vulndb.ts';

/** Ctrl-C at each question that a verb asks of feed, bucket and forge: it ends at once, and as an interruption (contract section 1). */
describe('Ctrl-C', () => {
  let server: TestServer;
  let forge: Forge;
  let feedProxy: CuttingProxy;
  let forgeProxy: CuttingProxy;
  let generator: Generator;

  beforeAll(async () => {
    server = await startTestServer();
    forge = await startForge();
    forge.addRepository('go-delve/delve', [delveRelease('1.26.2')]);
    [feedProxy, forgeProxy] = [await startCuttingProxy(server.url), await startCuttingProxy(forge.apiUrl)];
    generator = await makeGenerator({
      FEED_URL: `${feedProxy.url}/nuget`,
      FEED_API_KEY: await makeKey(server, ['push:beta', 'push', 'unlist']),
      GITHUB_API_URL: forgeProxy.url,
    });
    await writeVulnDb(join(generator.dir, 'vulndb'), [
      makeVuln('GO-2026-0001', 'example.test/dep', undefined),
    ]);
    await writeFile(join(generator.dir, 'plan.yaml'), 'steps: [{ percent: 100, hold: 1h }]\n');
    await mustRun('release:beta', ['delve']);
    await mustRun('release:promote', ['delve']);
    forge.addRepository('go-delve/delve', [delveRelease('1.26.3'), delveRelease('1.26.2')]);
    await mustRun('release:beta', ['delve']);
  });
  afterAll(async () => {
    await Promise.all([generator, feedProxy, forgeProxy, forge, server].map((one) => one.stop()));
  });

  async function mustRun(verb: string, args: readonly string[]): Promise<void> {
    const result = await generator.run(verb, args, { env });
    expect(result.exitCode, result.stderr).toBe(0);
  }

  const env = { VULN_DB: 'vulndb' };

  it.each([
    ['release:status', ['delve']],
    ['release:check', ['delve']],
    ['release:verify', ['delve']],
    ['release:promote', ['delve', '--dry-run']],
    ['release:rollout', ['start', 'delve', '--plan', 'plan.yaml', '--dry-run']],
    ['release:withdraw', ['delve@1.26.2', '--reason', 'x', '--dry-run']],
    ['bucket:rebase', ['https://feed.example', '--from', 'https://old.example', '--dry-run']],
    ['bundle:create', ['delve', '--out', 'x.bundle']],
  ])('ends %s with 130 at any of its requests', async (verb, args) => {
    const told: string[] = [];
    let runs = 0;
    // what is in the cache is not asked for again
    const asIfFirst = () => ({
      ...env,
      CACHE_DIR: join(generator.dir, `cache-${verb.replace(':', '-')}-${runs++}`),
    });
    for (const proxy of [feedProxy, forgeProxy]) {
      const before = proxy.requests.length;
      await generator.run(verb, args, { env: asIfFirst() });
      const questions = proxy.requests.slice(before);
      for (const [at, question] of questions.entries()) {
        const interruption = new AbortController();
        proxy.trap('', 'before', () => interruption.abort(), at + 1);
        const { signal } = interruption;
        const { exitCode, stderr } = await generator.run(verb, args, { env: asIfFirst(), signal });
        const end = stderr.trim().split('\n').at(-1) ?? '';
        if (exitCode !== 130 || !end.startsWith('Interrupted: '))
          told.push(`${question}: ${exitCode}, ${end}`);
      }
    }

    expect(told).toEqual([]);
  });

  it('reports a package that the feed accepted but does not list yet', async () => {
    forge.addRepository('go-delve/delve', [delveRelease('1.26.4')]);
    const interruption = new AbortController();
    feedProxy.trap('GET /nuget/Packages(', 'before', () => interruption.abort());

    const { exitCode, stderr } = await generator.run('release:beta', ['delve'], {
      env,
      signal: interruption.signal,
    });

    expect(exitCode, stderr).toBe(130);
    expect(stderr).toMatch(
      /Interrupted: Published: .*; package delve 1\.26\.4-beta\.1\. Not finished: delve 1\.26\.4-beta\.1\./,
    );
  });
});
