import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand as createPurge } from '../../../server/operator/purge.ts';
import { makeTempDir, startHouse, type TestHouse } from '../../kit/house.ts';
import { runVerb } from '../../kit/operator-world.ts';
import { makeStockedDir } from '../../kit/stocked-feed.ts';

let root: string;
let house: TestHouse;
beforeAll(async () => {
  root = await makeTempDir();
  house = await startHouse({ dataDir: await makeStockedDir(root) });
}, 120_000);
afterAll(async () => {
  await house.stop();
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});

const purge = (...args: string[]) => runVerb(createPurge, house.dataDir, ...args, '--reason', 'a law');
const statusOf = async (path: string): Promise<number> => (await fetch(`${house.url}${path}`)).status;

describe('purging what a branch of the bucket offers', () => {
  it('is refused with advice, and done with --force', async () => {
    const refused = await purge('buf@1.32.0');
    const before = await statusOf('/dl/buf/1.32.0/buf-windows-amd64.exe');
    const forced = await purge('buf@1.32.0', '--force');

    expect(refused.code).toBe(1);
    expect(refused.error?.message).toContain('release:withdraw buf@1.32.0');
    expect(before).toBe(200);
    expect(forced.code).toBe(0);
    expect(await statusOf('/dl/buf/1.32.0/buf-windows-amd64.exe')).toBe(410);
    expect(await statusOf('/m/buf/1.32.0/buf.json')).toBe(410);
  }, 60_000);

  it('leaves the other versions of an id, their texts and its latest flags', async () => {
    const { code } = await purge('sample@1.2.0');

    expect(code).toBe(0);
    expect(await statusOf('/nuget/package/Sample/1.2.0')).toBe(410);
    for (const version of ['1.0.0', '1.1.0', '2.0.0-beta.1']) {
      expect(await statusOf(`/nuget/package/Sample/${version}`)).toBe(200);
      expect(await statusOf(`/nuget/Packages(Id='Sample',Version='${version}')`)).toBe(200);
    }
    expect((await house.services.catalog.findLatest('sample'))?.version).toBe('1.0.0');
  }, 60_000);
});
