import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canFakeMachine, type InstallMachine, makeInstallMachine } from '../../kit/install/machine.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

/** Runs what is between as a person would at a prompt, and says what the session has more than before. */
const watched = (command: string) => `
$ErrorActionPreference = 'Continue'
$was = @{}
foreach ($each in Get-Variable -Exclude foreach, input) { $was[$each.Name] = "$($each.Value)" }
$functions = @(Get-ChildItem Function: | ForEach-Object { $_.Name })
$environment = (Get-ChildItem Env: | ForEach-Object { "$($_.Name)=$($_.Value)" }) -join "\`n"
$protocol = [Net.ServicePointManager]::SecurityProtocol
try { ${command} } catch { "CAUGHT $($_.Exception.Message)" }
$mine = 'was', 'functions', 'environment', 'protocol', 'each', 'mine', 'LASTEXITCODE', '?', '^', '$', 'Error', '_', 'PSItem', 'input', 'MyInvocation', 'foreach', 'StackTrace', 'Matches'
Get-Variable -Exclude foreach, input | Where-Object { $mine -notcontains $_.Name -and $was[$_.Name] -cne "$($_.Value)" } | ForEach-Object { "LEFT variable $($_.Name)" }
Get-ChildItem Function: | Where-Object { $functions -notcontains $_.Name } | ForEach-Object { "LEFT function $($_.Name)" }
if (((Get-ChildItem Env: | ForEach-Object { "$($_.Name)=$($_.Value)" }) -join "\`n") -cne $environment) { 'LEFT environment' }
if ([Net.ServicePointManager]::SecurityProtocol -ne $protocol) { 'LEFT protocol' }
"EAP $ErrorActionPreference CODE $LASTEXITCODE"`;

const text = 'Get-Content -Raw "$HOME/install.ps1"';

describe.skipIf(!canFakeMachine)('install.ps1 in a session (needs pwsh)', () => {
  let server: TestServer;
  let machine: InstallMachine;
  beforeAll(async () => {
    server = await startTestServer({});
    machine = await makeInstallMachine();
    // scoop runs in a PowerShell of its own here
    machine.env.FAKE_SHELLS = '';
    await machine.serve({ publicUrl: server.url, readAuth: undefined });
  });
  afterAll(async () => {
    await machine.remove();
    await server.stop();
  });

  it('runs by `irm | iex`, as a script block and as a file, strict or not, and leaves nothing but its exit code', async () => {
    const runs = await machine.runAll([
      { command: watched(`${text} | Invoke-Expression`) },
      { command: watched(`& ([scriptblock]::Create((${text}))) -Check`) },
      {
        command: `Set-StrictMode -Version Latest; ${watched(`& ([scriptblock]::Create((${text}))) -Remove`)}`,
      },
      { command: `Set-StrictMode -Version Latest; ${watched(`${text} | Invoke-Expression`)}` },
      { command: watched('install -Check') },
      { command: watched('install -Remove') },
    ]);

    for (const { said } of runs) {
      expect(said).not.toContain('LEFT');
      expect(said).not.toContain('CAUGHT');
      expect(said).toMatch(/EAP Continue CODE 0$/);
    }
    const [first, check, removal] = runs.map(({ said }) => said);
    expect(first).toContain('Done: Chocolatey, Scoop.');
    expect(check).toContain(`ok: source go-win-tools is ${server.url}/nuget`);
    expect(removal).toContain('source go-win-tools is removed');
  });

  it('ends no session where it fails, and says that it failed', async () => {
    const runs = await machine.runAll([
      { command: watched(`& ([scriptblock]::Create((${text}))) stray; 'WENT ON'`) },
      {
        command: `function Invoke-Wrapped { [CmdletBinding()] param() ${text} | Invoke-Expression; 'WENT ON' }; ${watched('Invoke-Wrapped')}`,
        env: { FAKE_ADMIN: 'no' },
      },
    ]);

    expect(runs[0]?.said).toContain('CAUGHT install.ps1: not everything was done, see above (exit code 2).');
    expect(runs[1]?.said).toContain('CAUGHT install.ps1: not everything was done, see above (exit code 4).');
    for (const { said } of runs) expect(said).not.toMatch(/LEFT|WENT ON/);
  });

  it('refuses a stray word with 2 before it does anything', async () => {
    await machine.asked();
    const lines = [
      'install stray',
      'install -Beta -Nonsense',
      'install -Part banana',
      'install -ClientId "bad name"',
      'install -ShimsDir "$HOME/nowhere"',
      "install -ShimsDir 'a;b'",
      'install -LogFile "$HOME/nowhere/log.txt"',
    ];
    const runs = await machine.runAll(lines.map((command) => ({ command })));

    expect(runs.map(({ code }) => code)).toEqual(lines.map(() => 2));
    expect(await machine.asked()).toEqual([]);
  });

  it('appends everything it says to -LogFile, with the time and the exit code', async () => {
    const file = join(machine.dir, 'log.txt');
    await writeFile(file, 'before\n');
    const runs = await machine.runAll([
      { command: 'install -WhatIf -LogFile log.txt', env: { FAKE_ADMIN: 'yes' } },
      { command: 'install -Check -LogFile "$HOME/log.txt"' },
      { command: 'install -Token gwt_secret -LogFile log.txt' },
    ]);
    const lines = (await readFile(file, 'utf8')).split(/\r?\n/);

    expect(runs.map(({ code }) => code)).toEqual([0, 1, 2]);
    expect(lines[0]).toBe('before');
    expect(lines.filter((line) => /^\d{4}-\d\d-\d\dT[\d:]+Z exit code [0-2]$/.test(line))).toHaveLength(3);
    expect(lines.some((line) => line.includes('wrong usage'))).toBe(true);
    expect(lines.join()).not.toContain('gwt_secret');
    expect(lines.some((line) => line.includes('What if: Chocolatey: source go-win-tools is'))).toBe(true);
  });

  it('writes no log as administrator where others can redirect it', async () => {
    const env = { FAKE_ADMIN: 'yes', FAKE_OPEN: 'open.txt' };
    const runs = await machine.runAll([
      { command: 'install -Check -LogFile open.txt', env },
      { command: 'install -Check -LogFile open.txt', env },
    ]);

    expect(runs.map(({ code }) => code)).toEqual([2, 2]);
    expect(await readFile(join(machine.dir, 'open.txt'), 'utf8')).toBe('');
  });
});
