import { rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { createCommand as createPurge } from '../../../server/verbs/purge.ts';
import { runVerb } from '../../kit/operator-fixture.ts';
import { makeStockedDir, openBucketWork } from '../../kit/stocked-feed.ts';
import { makeTempDir, startTestServer, type TestServer } from '../../kit/test-server.ts';

let root: string;
let server: TestServer;
beforeAll(async () => {
  root = await makeTempDir();
  server = await startTestServer({ dataDir: await makeStockedDir(root) });
});
afterAll(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});

const purge = (...args: string[]) => runVerb(createPurge, server.dataDir, ...args, '--reason', 'a law');
const statusOf = async (path: string): Promise<number> => (await fetch(`${server.url}${path}`)).status;

describe('purging a version that a branch of the bucket offers', () => {
  it('is refused with advice, and possible with --force', async () => {
    const refused = await purge('buf@1.32.0');
    const spelled = await Promise.all(['buf@1.32', 'Buf@1.32.0.0', 'buf@01.32.0+x'].map((of) => purge(of)));
    const before = await statusOf('/dl/buf/1.32.0/buf-windows-amd64.exe');
    const forced = await purge('buf@1.32.0', '--force');

    expect(refused.code).toBe(1);
    expect(refused.error?.message).toContain('release:withdraw buf@1.32.0');
    expect(spelled.map(({ error }) => error?.message)).toEqual(spelled.map(() => refused.error?.message));
    expect(before).toBe(200);
    expect(forced.code).toBe(0);
    expect(await statusOf('/dl/buf/1.32.0/buf-windows-amd64.exe')).toBe(410);
    expect(await statusOf('/m/buf/1.32.0/buf.json')).toBe(410);
  });

  it('takes turns with pushes, of which only one can come through', async () => {
    const work = await openBucketWork(server, root, 'race');
    const order = { id: 'late', version: '1.0.0', reason: 'a law' };
    let [pushing, purging]: Promise<unknown>[] = [];

    await server.services.bucket.between(async () => {
      pushing = work.release('late', '1.0.0');
      await expect.poll(() => statusOf('/dl/late/1.0.0/late-windows-amd64.exe')).toBe(200);
      purging = server.services.purging.purge(order, operator);
      await setTimeout(500);
      expect(await statusOf('/dl/late/1.0.0/late-windows-amd64.exe')).toBe(200);
    });

    const ends = await Promise.allSettled([pushing, purging]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const isOffered = (await statusOf('/m/late.json')) === 200;
    expect(await statusOf('/dl/late/1.0.0/late-windows-amd64.exe')).toBe(isOffered ? 200 : 410);
  });

  it('leaves the other versions of an id, their texts and its latest flags', async () => {
    const { code } = await purge('sample@1.2.0');

    expect(code).toBe(0);
    expect(await statusOf('/nuget/package/Sample/1.2.0')).toBe(410);
    for (const version of ['1.0.0', '1.1.0', '2.0.0-beta.1']) {
      expect(await statusOf(`/nuget/package/Sample/${version}`)).toBe(200);
      expect(await statusOf(`/nuget/Packages(Id='Sample',Version='${version}')`)).toBe(200);
    }
    expect((await server.services.catalog.findLatest('sample'))?.version).toBe('1.0.0');
  });
});
