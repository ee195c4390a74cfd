import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canFakeMachine, type InstallMachine, makeInstallMachine } from '../../kit/install/machine.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

const machineKey = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment';
const userKey = 'HKCU\\Environment';

describe.skipIf(!canFakeMachine)('the shims in install.ps1 (needs pwsh)', () => {
  let server: TestServer;
  let machine: InstallMachine;
  beforeAll(async () => {
    server = await startTestServer({});
  });
  beforeEach(async () => {
    machine = await makeInstallMachine();
    await machine.serve({ publicUrl: server.url, readAuth: undefined });
    return machine.remove;
  });
  afterAll(() => server.stop());
  const pathOf = async (key: string) => (await machine.registry())[key]?.Path;
  const setRegistry = (keys: object) => writeFile(join(machine.dir, 'registry.json'), JSON.stringify(keys));

  it('come first in the PATH of the machine with Chocolatey, whatever its exit codes say, and are removed again', async () => {
    await setRegistry({ [machineKey]: { Path: '%SystemRoot%;C:\\b;;C:\\c\\' } });
    const dir = join(machine.paths.choco, 'lib/go-win-shims/tools');
    const runs = await machine.runAll([
      { command: 'install -Check -Shims' },
      { command: 'install -Shims -Beta', env: { FAKE_CHOCO: 'enhanced' } },
      { command: 'install -Shims -Beta' },
      { command: 'install -Check -Shims -Beta' },
    ]);
    const during = await pathOf(machineKey);
    const [removed] = await machine.runAll([{ command: 'install -Remove' }]);
    const asked = await machine.asked();

    expect(
      runs.map(({ code }) => code),
      runs.map(({ said }) => said).join('\n'),
    ).toEqual([1, 0, 0, 0]);
    expect(during).toBe(`${dir};%SystemRoot%;C:\\b;C:\\c\\`);
    expect(removed?.code).toBe(0);
    expect(await machine.registry()).toEqual({ [machineKey]: { Path: '%SystemRoot%;C:\\b;C:\\c\\' } });
    expect(asked.filter((line) => line.includes('upgrade'))).toEqual([
      'choco upgrade go-win-shims --yes --no-progress --source=go-win-tools --pre',
      'choco upgrade go-win-shims --yes --no-progress --source=go-win-tools --pre',
    ]);
  });

  it('go into the PATH of the user with Scoop, also where there is none yet, and -Check sees a lazy registry', async () => {
    const dir = join(machine.paths.scoop, 'apps/go-win-shims/current');
    const runs = await machine.runAll([
      { command: 'install -Part scoop -Shims', env: { FAKE_ADMIN: 'no', FAKE_REGISTRY_LAZY: 'yes' } },
      { command: 'install -Part scoop -Shims', env: { FAKE_REGISTRY_LAZY: null } },
      { command: 'install -Part scoop -Shims -Check' },
    ]);
    const during = await pathOf(userKey);
    const [removed] = await machine.runAll([{ command: 'install -Part scoop -Remove' }]);

    expect(runs.map(({ code }) => code)).toEqual([1, 0, 0]);
    expect(runs[0]?.said).toContain(
      `but this is still not the case: ${dir} is first in the PATH of this user`,
    );
    expect(during).toBe(dir);
    expect(removed?.code).toBe(0);
    expect(await machine.registry()).toEqual({ [userKey]: { Path: '' } });
  });

  it('can be one’s own folder, which -Remove finds; a user’s registry never affects the machine’s PATH', async () => {
    const dir = join(machine.dir, 'my shims');
    await mkdir(dir);
    const open = await machine.run('-ShimsDir "my shims"', { FAKE_OPEN: 'my shims' });
    const set = await machine.run('-ShimsDir "my shims"');
    const during = await pathOf(machineKey);
    await setRegistry({
      ...(await machine.registry()),
      'HKCU\\Software\\go-win-tools': { ShimsDir: 'C:\\b' },
      [userKey]: { Path: 'C:\\b;C:\\u' },
      [machineKey]: { Path: `${dir};C:\\b` },
    });
    const removed = await machine.run('-Remove');

    expect(open.code).toBe(1);
    expect(open.said).toContain('cannot be added to the PATH of this machine');
    expect([set.code, during]).toEqual([0, dir]);
    expect(removed.code).toBe(0);
    expect(await machine.registry()).toEqual({
      [userKey]: { Path: 'C:\\u' },
      [machineKey]: { Path: 'C:\\b' },
    });
  });
});
