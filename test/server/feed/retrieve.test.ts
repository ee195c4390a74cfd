import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { retrieve } from '../../../server/feed/retrieve.ts';
import { relist, unlist } from '../../../server/feed/withdraw.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { taken } from '../../kit/taken.ts';
import { openTemporaryStorage } from './storage.ts';

describe('a published package', () => {
  let storage: Awaited<ReturnType<typeof openTemporaryStorage>>;
  const stable = makeNupkg({ id: 'Delve', version: '1.0' });
  beforeEach(async () => {
    storage = await openTemporaryStorage();
    await storage.push(stable);
    await storage.push(makeNupkg({ id: 'Delve', version: '1.1.0' }));
    await storage.push(makeNupkg({ id: 'Delve', version: '2.0.0-beta.1' }));
  });
  afterEach(() => storage.remove());

  const latest = async () => (await retrieve(storage, 'delve')).row.normalizedVersion;

  it.each(['1.0', '1.0.0', '01.0.0.0', '1.0.0+any'])('comes by the spelling %s', async (version) => {
    const { row, readTo } = await retrieve(storage, 'dELVE', version);

    expect(row.normalizedVersion).toBe('1.0.0');
    expect((await taken(readTo, { start: 0, end: row.sizeBytes - 1 })).equals(stable)).toBe(true);
    expect(await taken(readTo, { start: 10, end: 19 })).toEqual(stable.subarray(10, 20));
  });

  it.each([
    ['delve', '3.0.0', 'PACKAGE_NOT_FOUND'],
    ['delve', '../../catalog.db', 'PATH_INVALID'],
    ['buf', '1.0.0', 'PACKAGE_NOT_FOUND'],
  ])('does not include %s %s', async (id, version, code) => {
    await expect(retrieve(storage, id, version)).rejects.toMatchObject({ code });
  });

  it('without a version is the latest listed stable one', async () => {
    expect(await latest()).toBe('1.1.0');
    await unlist(storage, 'delve', '1.1', operator);
    expect(await latest()).toBe('1.0.0');
    await unlist(storage, 'delve', '1.0', operator);
    await expect(latest()).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
    await relist(storage, 'DELVE', '1.1.0.0', operator);
    expect(await latest()).toBe('1.1.0');
  });

  it('comes after it was unlisted too', async () => {
    await unlist(storage, 'delve', '1.0.0', operator);
    await unlist(storage, 'delve', '1.0.0', operator);

    const { readTo, readSmall } = await retrieve(storage, 'delve', '1.0.0');

    expect(await storage.catalog.find('delve', '1.0.0')).toMatchObject({ isListed: false });
    expect((await readSmall()).equals(stable)).toBe(true);
    expect((await taken(readTo, { start: 0, end: stable.length - 1 })).equals(stable)).toBe(true);
  });

  it('cannot be withdrawn under an unknown name', async () => {
    await expect(unlist(storage, 'delve', '9.0.0', operator)).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
    });
    await expect(relist(storage, 'nothing', '1.0.0', operator)).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
    });
  });
});
