import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canFakeMachine, type InstallMachine, makeInstallMachine } from '../../kit/install/machine.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { run } from '../../kit/programs.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe.skipIf(!canFakeMachine)('other sources of Chocolatey in install.ps1 (needs pwsh)', () => {
  let server: TestServer;
  let machine: InstallMachine;
  beforeAll(async () => {
    server = await startTestServer({});
    const pushed = await pushNupkg(server, makeNupkg({ id: 'buf', version: '1.2.3' }), server.adminKey);
    expect(pushed.status).toBe(201);
  });
  beforeEach(async () => {
    machine = await makeInstallMachine();
    await machine.serve({ publicUrl: server.url, readAuth: undefined });
    await writeFile(
      machine.paths.chocoConfig,
      `<?xml version="1.0" encoding="utf-8"?>
<chocolatey>
  <sources>
    <source id="chocolatey" value="https://community.chocolatey.org/api/v2/" disabled="false" priority="0" />
    <source id="ours-too" value="${server.url}/api/v2/" disabled="false" priority="0" />
  </sources>
</chocolatey>
`,
    );
    return machine.remove;
  });
  afterAll(() => server.stop());
  const config = () => readFile(machine.paths.chocoConfig, 'utf8');

  it('stay on while choco itself finds nothing at ours', async () => {
    const [blind, seeing] = await machine.runAll([
      { command: 'install -Part chocolatey -DisableCommunity' },
      { command: 'install -Part chocolatey -DisableCommunity', env: { FAKE_FOUND: 'buf' } },
    ]);

    expect(blind?.code).toBe(1);
    expect(blind?.said).toContain(
      'choco finds nothing at its source go-win-tools, although the server has buf',
    );
    expect(blind?.said).not.toContain('Done');
    expect(seeing?.code, seeing?.said).toBe(0);
    expect(await config()).toMatch(/id="chocolatey" .* disabled="true"/);
  });

  it("are only searched for the product's own tools, when a person is present, and never for the same feed", async () => {
    const runs = await machine.runAll([
      { command: 'install -Part chocolatey' },
      { command: 'install -Part chocolatey', env: { FAKE_PERSON: 'yes', FAKE_FOUND: 'buf' } },
      { command: 'install -Part chocolatey -NonInteractive', env: { FAKE_PERSON: null } },
    ]);
    const searches = (await machine.asked()).filter((line) => line.startsWith('choco search'));

    expect(searches).toEqual(
      ['buf', 'delve', 'goreleaser'].map(
        (id) => `choco search ${id} --exact --limit-output --id-only --source=chocolatey`,
      ),
    );
    expect(runs[1]?.said).toContain('The Chocolatey source chocolatey offers buf, buf, buf too');
  });

  it('are those of this machine, by its name or by -ClientId, in lower case, but not with -Beta', async () => {
    const named = { COMPUTERNAME: 'DESK-9' };
    const runs = await machine.runAll([
      { command: 'install -WhatIf', env: named },
      { command: 'install -WhatIf -ClientId PC-7', env: named },
      { command: 'install -WhatIf -Beta', env: named },
      { command: "install -WhatIf -ClientId ''", env: named },
      { command: 'install -WhatIf -Beta', env: { COMPUTERNAME: 'BÜRO' } },
    ]);

    for (const [index, id] of ['desk-9', 'pc-7'].entries()) {
      expect(runs[index]?.said).toContain(`source go-win-tools is ${server.url}/nuget/c/${id}\n`);
      expect(runs[index]?.said).toContain(
        `bucket go-win-tools is ${server.url}/git/c/${id}/go-win-tools.git`,
      );
    }
    for (const { said } of runs.slice(2))
      expect(said).toContain(`source go-win-tools is ${server.url}/nuget\n`);
    expect(await config()).not.toContain('go-win-tools');
  });

  it('refuse the name of a machine that is no client id, and say what to do', async () => {
    const script = join(machine.dir, 'install.ps1');
    const { code, stdout, stderr } = await run('pwsh', ['-NoProfile', '-File', script], {
      env: { ...machine.env, COMPUTERNAME: 'BÜRO' },
      cwd: machine.dir,
    });

    expect(code).toBe(2);
    expect(stdout + stderr).toContain("-ClientId '' uses the addresses that all clients share");
  });

  it('change with the client id, and a run says so', async () => {
    const runs = await machine.runAll([
      { command: 'install ', env: { COMPUTERNAME: 'DESK-9' } },
      { command: 'install -Check', env: { COMPUTERNAME: 'DESK-9' } },
      { command: 'install -Check -ClientId PC-7' },
      { command: 'install -ClientId PC-7' },
      { command: 'install -Check -ClientId PC-7' },
    ]);

    expect(
      runs.map(({ code }) => code),
      runs[0]?.said,
    ).toEqual([0, 0, 1, 0, 0]);
    expect(runs[3]?.said).toContain('/nuget/c/pc-7');
    expect(runs[3]?.said).toContain('/git/c/pc-7');
    expect(await config()).toContain(`${server.url}/nuget/c/pc-7"`);
  });

  it('are set once by two runs at the same time', async () => {
    const script = join(machine.dir, 'install.ps1');
    const start = () => run('pwsh', ['-NoProfile', '-File', script], { env: machine.env, cwd: machine.dir });
    const results = await Promise.all([start(), start()]);
    const asked = await machine.asked();

    expect(
      results.map(({ code }) => code),
      results.map(({ stdout }) => stdout).join('\n'),
    ).toEqual([0, 0]);
    expect(asked.filter((line) => line.includes(' add '))).toHaveLength(2);
  });
});

describe.skipIf(!canFakeMachine)('no key and nobody to ask (needs pwsh)', () => {
  it('ends the process with 3, as a file and as a script block, at once and without a question', async () => {
    const server = await startTestServer({ readAuth: 'all' });
    const machine = await makeInstallMachine();
    await makeKey(server, ['read']);
    await machine.serve({ publicUrl: server.url, readAuth: 'all' });
    const file = join(machine.dir, 'install.ps1');
    const block = '& ([scriptblock]::Create((Get-Content -Raw "$HOME/install.ps1")))';
    const commands = [
      ['-File', file],
      ['-Command', `${block}; exit $LASTEXITCODE`],
      ['-Command', block],
      ['-Command', 'Get-Content -Raw "$HOME/install.ps1" | Invoke-Expression'],
    ];
    const codes: number[] = [];
    for (const words of commands) {
      const result = await run('pwsh', ['-NoProfile', ...words], { env: machine.env, cwd: machine.dir });
      expect(result.stdout).toContain('nobody can be asked for it here');
      codes.push(result.code);
    }
    await machine.remove();
    await server.stop();

    expect(codes).toEqual([3, 3, 1, 1]);
  });
});
