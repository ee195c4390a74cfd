import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKey, makeTempDir, startHouse, type TestHouse } from '../kit/house.ts';
import { hasNuget, makeNuget, type Nuget } from '../kit/nuget.ts';
import { makeNupkg } from '../kit/nupkg.ts';

describe.skipIf(!hasNuget)('nuget.exe push and delete (mono)', () => {
  let house: TestHouse;
  let nuget: Nuget;
  let dir: string;
  beforeAll(async () => {
    dir = await makeTempDir();
    house = await startHouse();
    nuget = await makeNuget(dir);
  });
  afterAll(() => house.stop());

  it('publishes, is told of a duplicate and of a wrong key, and unlists', { timeout: 300_000 }, async () => {
    const file = join(dir, 'pushed.1.0.0.nupkg');
    await writeFile(file, makeNupkg({ id: 'pushed' }));
    const source = ['-Source', `${house.url}/nuget`];

    const pushed = await nuget('push', file, ...source, '-ApiKey', adminKey);
    expect([pushed.code, pushed.stdout]).toEqual([0, expect.stringContaining('Your package was pushed.')]);

    const again = await nuget('push', file, ...source, '-ApiKey', adminKey);
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringContaining('already exists and cannot be modified'),
    ]);
    expect((await nuget('push', file, ...source, '-ApiKey', adminKey, '-SkipDuplicate')).code).toBe(0);

    const wrong = await nuget('push', file, ...source, '-ApiKey', 'nobody');
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('The specified API key is invalid'),
    ]);

    const deleted = await nuget('delete', 'pushed', '1.0.0', ...source, '-ApiKey', adminKey);
    expect([deleted.code, deleted.stdout]).toEqual([0, expect.stringContaining('pushed 1.0.0')]);
    expect((await house.services.catalog.find('pushed', '1.0.0'))?.isListed).toBe(false);
  });
});
