import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startHouse } from '../../kit/house.ts';

describe('ops door', () => {
  it('says that the server lives and is ready', async () => {
    const house = await startHouse();

    expect(await (await fetch(`${house.url}/healthz`)).text()).toBe('ok\n');
    expect(await (await fetch(`${house.url}/readyz`)).text()).toBe('ready\n');
    await house.stop();
  });

  it('names what does not answer, and goes on living', async () => {
    const house = await startHouse();
    await rm(join(house.dataDir, 'blobs'), { recursive: true });
    await rm(join(house.dataDir, 'bucket'), { recursive: true });

    const answer = await fetch(`${house.url}/readyz`);

    expect([answer.status, await answer.text()]).toEqual([503, 'Not ready: blobs, git does not answer\n']);
    expect((await fetch(`${house.url}/healthz`)).status).toBe(200);
    await house.stop();
  });
});
