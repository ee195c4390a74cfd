import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canFakeMachine, type InstallMachine, makeInstallMachine } from '../../kit/install/machine.ts';
import { mustRun } from '../../kit/programs.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

/** A choco that has the community's source besides. */
const community = `<?xml version="1.0" encoding="utf-8"?>
<chocolatey>
  <sources>
    <source id="chocolatey" value="https://community.chocolatey.org/api/v2/" disabled="false" priority="0" />
  </sources>
</chocolatey>
`;

describe.skipIf(!canFakeMachine)('each part of install.ps1 (needs pwsh)', () => {
  let server: TestServer;
  let machine: InstallMachine;
  beforeAll(async () => {
    server = await startTestServer({});
  });
  beforeEach(async () => {
    machine = await makeInstallMachine();
    await machine.serve({ publicUrl: server.url, readAuth: undefined });
    await writeFile(machine.paths.chocoConfig, community);
    return machine.remove;
  });
  afterAll(() => server.stop());
  const config = () => readFile(machine.paths.chocoConfig, 'utf8');
  const remote = async () => {
    const bucket = join(machine.paths.scoop, 'buckets/go-win-tools');
    return (await mustRun('git', ['-C', bucket, 'config', 'remote.origin.url'])).trim();
  };

  it('is set up once, follows -Beta there and back, and is taken back whole, twice each', async () => {
    const runs = await machine.runAll(
      [
        ...['-Check', '-WhatIf', '', '', '-Check', '-Beta', '-Beta -Check', '-Beta', '-Check', ''],
        ...['-DisableCommunity', '-DisableCommunity', '-Check -DisableCommunity'],
        ...['-Remove -Check', '-Remove -WhatIf', '-Remove', '-Remove', '-Remove -Check'],
      ].map((parameters) => ({ command: `install ${parameters}` })),
    );
    const asked = await machine.asked();

    expect(runs.map(({ code }) => code)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    const url = (channel: string) => `${server.url}/git/${channel}/go-win-tools.git`;
    expect(asked.filter((line) => !line.includes(' search '))).toEqual([
      `choco source add --name=go-win-tools --source=${server.url}/nuget --yes`,
      `scoop bucket add go-win-tools ${url('main')}`,
      'scoop bucket rm go-win-tools',
      `scoop bucket add go-win-tools ${url('beta')}`,
      'scoop bucket rm go-win-tools',
      `scoop bucket add go-win-tools ${url('main')}`,
      'choco source disable --name=chocolatey --yes',
      'choco source remove --name=go-win-tools --yes',
      'choco source enable --name=chocolatey --yes',
      'scoop bucket rm go-win-tools',
    ]);
    expect(runs[5]?.said).toContain('choco install TOOL --pre');
    expect((await config()).replace(/^\ufeff/, '')).toBe(community);
  });

  it('is done even if another fails, whose cause is reported: 1', async () => {
    const [broken, lazy, lazyScoop] = await machine.runAll(
      [
        { command: 'install -Shims', env: { FAKE_CHOCO: 'fails' } },
        { command: 'install', env: { FAKE_CHOCO: 'lazy' } },
        { command: 'install -Beta', env: { FAKE_CHOCO: null, FAKE_SCOOP: 'lazy' } },
      ].map((step) => ({ ...step, command: `${step.command} ` })),
    );

    expect(broken).toMatchObject({ code: 1 });
    expect(broken?.said).toMatch(
      /Chocolatey: choco\.exe source add .* ended with exit code 1\. choco is broken today/,
    );
    expect(broken?.said).toContain('Shims: it needs Chocolatey, which failed.');
    expect(broken?.said).toContain('Done: Scoop.');
    expect(lazy).toMatchObject({ code: 1 });
    expect(lazy?.said).toContain(
      'no error was reported, but this is still not the case: source go-win-tools is',
    );
    expect(lazyScoop).toMatchObject({ code: 1 });
    expect(lazyScoop?.said).toMatch(/Scoop: Scoop could not remove .*go-win-tools/);
    expect(lazyScoop?.said).toContain('Done: Chocolatey.');
    expect(await remote()).toBe(`${server.url}/git/main/go-win-tools.git`);
  });

  it('is the only one with -Part, and nothing is done that needs an administrator: 4', async () => {
    const runs = await machine.runAll([
      { command: 'install ', env: { FAKE_ADMIN: 'no' } },
      { command: 'install -Part chocolatey' },
      { command: 'install -Part scoop' },
      { command: 'install -Part scoop -Remove' },
      { command: 'install -Part chocolatey', env: { FAKE_ADMIN: 'yes' } },
      { command: 'install -Part chocolatey -Remove', env: { FAKE_ADMIN: 'no' } },
    ]);
    const asked = await machine.asked();

    expect(runs.map(({ code }) => code)).toEqual([4, 4, 0, 0, 0, 4]);
    expect(runs[0]?.said).toContain('This needs an administrator: Chocolatey: source go-win-tools is');
    expect(asked.map((line) => line.split(' ', 3).join(' '))).toEqual([
      'scoop bucket add',
      'scoop bucket rm',
      'choco source add',
    ]);
  });

  it('is named when it is missing, with exit code 1 if it was requested', async () => {
    await rm(machine.paths.choco, { recursive: true });
    const runs = await machine.runAll([
      { command: 'install -Part chocolatey' },
      { command: 'install -WhatIf' },
      { command: 'install -Remove' },
    ]);

    expect(runs.map(({ code }) => code)).toEqual([1, 0, 0]);
    expect(runs[0]?.said).toContain('Chocolatey is not installed. Install it first');
    expect(runs[1]?.said).not.toContain('choco install');
  });

  it('is not confused with another bucket of the same address, or with a source of another name', async () => {
    const other = join(machine.paths.scoop, 'buckets/tools');
    await mustRun('git', ['clone', '-q', `${server.url}/git/main/go-win-tools`, other]);
    const named = await machine.run();

    expect(named.code).toBe(1);
    expect(named.said).toContain(
      'Scoop already has this bucket under the name tools, and allows it only once. Run: scoop bucket rm tools',
    );
  });
});
