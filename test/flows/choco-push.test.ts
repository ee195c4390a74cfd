import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey, pushNupkg, startHouse, type TestHouse } from '../kit/house.ts';
import { makeNupkg } from '../kit/nupkg.ts';

describe('choco push', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house.stop());

  it('publishes a package that then is on the feed, byte for byte', async () => {
    const nupkg = makeNupkg({ id: 'roundtrip', version: '1.2.0' });

    const answer = await pushNupkg(house, nupkg, house.adminKey);

    expect([answer.status, answer.statusText]).toEqual([201, 'Created']);
    const download = await fetch(`${house.url}/nuget/package/RoundTrip/1.2`);
    expect(Buffer.from(await download.arrayBuffer())).toEqual(nupkg);
    const entry = await (await fetch(`${house.url}/nuget/Packages(Id='roundtrip',Version='1.2.0')`)).text();
    expect(entry).toContain(createHash('sha512').update(nupkg).digest('base64'));
    expect(entry).toContain(`src="${house.publicUrl}/nuget/package/roundtrip/1.2.0"`);
  });
});
