import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInPowerShell } from '../../kit/install/host.ts';
import { hasProgram } from '../../kit/programs.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';

/** The parts themselves, with the rights of Windows told by a table: path, SID, right, and whether for what is made in it alone. */
const stand = `
$ErrorActionPreference = 'Stop'
$Name = 'go-win-tools'
$Patience = 30
function Write-Log {}
function Test-Windows { return $true }
function Test-Admin { return $env:IS_ADMIN -ne 'no' }
function Test-FixedDrive([string] $Path) { return -not $Path.StartsWith('\\\\') }
function Get-Me { return 'S-1-5-21-1-2-3-1001' }
function New-Sid([string] $Value) {
  return [PSCustomObject]@{ Value = $Value } | Add-Member -PassThru ScriptMethod Translate { throw 'nobody has that name' }
}
function Get-Acl([string] $LiteralPath) {
  $entries = @($env:ENTRIES | ConvertFrom-Json | Where-Object { $_.path -eq $LiteralPath })
  $owner = @($entries | Where-Object { $_.right -eq 'owner' } | ForEach-Object { $_.sid }) + 'S-1-5-32-544' | Select-Object -First 1
  $rules = @($entries | Where-Object { $_.right -ne 'owner' } | ForEach-Object {
    [PSCustomObject]@{ PropagationFlags = 2 * [int]$_.below; AccessControlType = 'Allow'; FileSystemRights = [int]$_.right; IdentityReference = (New-Sid $_.sid) }
  })
  $acl = [PSCustomObject]@{ Owner = (New-Sid $owner); Rules = $rules }
  Add-Member -InputObject $acl ScriptMethod GetOwner { return $this.Owner }
  Add-Member -InputObject $acl ScriptMethod GetAccessRules { return $this.Rules }
  return $acl
}
`;
const users = 'S-1-5-32-545';
const modify = 0x13_01bf;
const addFiles = 0x2;
const addFolders = 0x4;
const readAndRun = 0x12_00a9;

type Entry = {
  readonly path: string;
  readonly sid?: string;
  readonly right: number | 'owner';
  readonly below?: boolean;
};

describe.skipIf(!hasProgram('pwsh'))('what an administrator may run (needs pwsh)', () => {
  let dir: string;
  let parts: string;
  const at = (path: string) => join(dir, path);
  beforeAll(async () => {
    dir = await makeTempDir();
    await mkdir(at('choco/bin'), { recursive: true });
    await mkdir(at('open/inside'), { recursive: true });
    await writeFile(at('choco/bin/choco.exe'), '#!/bin/sh\nenv\n', { mode: 0o755 });
    await writeFile(at('open/inside/dlv.exe'), '');
    await symlink(at('open/inside'), at('choco/link'));
    const texts = ['trust', 'programs', 'scoop-config'].map((part) =>
      readFile(join(productDir, 'server/install/script', `${part}.ps1`), 'utf8'),
    );
    parts = (await Promise.all(texts)).join('\n');
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  function toJson(entries: readonly Entry[]): string {
    const whole = (path: string) => (path === '/' ? '/' : at(path));
    return JSON.stringify(
      entries.map((entry) => ({ sid: users, below: false, ...entry, path: whole(entry.path) })),
    );
  }
  /** In a session of its own; what it printed, and what it threw. */
  async function powershell(text: string, entries: readonly Entry[] = [], env = {}): Promise<string> {
    await writeFile(at('run.ps1'), `${parts}\n${stand}\n${text}\n`);
    const command = `try { & '${at('run.ps1')}' } catch { "$_" }`;
    await writeFile(at('runs.json'), JSON.stringify([{ command, env: {} }]));
    await rm(at('results.json'), { force: true });
    const places = { RUNS: at('runs.json'), RESULTS: at('results.json') };
    const wrong = await runInPowerShell({ env: { ...env, ...places, ENTRIES: toJson(entries) }, cwd: dir });
    expect(wrong).toBe('');
    const [run] = JSON.parse(await readFile(at('results.json'), 'utf8')) as [{ readonly said: string }];
    return run.said;
  }

  it('is what nobody else can change, here or above', async () => {
    const runs: readonly (readonly [string, readonly Entry[]])[] = [
      ['nothing special', []],
      ['all can read', [{ path: 'choco/bin/choco.exe', right: readAndRun }]],
      ['own', [{ path: 'choco/bin/choco.exe', sid: 'S-1-5-21-1-2-3-1001', right: 'owner' }]],
      ['made in it alone', [{ path: 'choco/bin', right: modify, below: true }]],
      // as C:\ProgramData is
      ['beside it, above', [{ path: 'choco', right: addFiles | addFolders }]],
      // as other drives are
      ['the drive itself', [{ path: '/', right: 0x1_0000 | addFolders }]],
    ];
    const holes: readonly (readonly [string, readonly Entry[]])[] = [
      ['a planted program', [{ path: 'choco/bin/choco.exe', right: 'owner' }]],
      ['a planted folder', [{ path: 'choco', sid: 'S-1-5-21-1-2-3-1002', right: 'owner' }]],
      ['a program that all can write', [{ path: 'choco/bin/choco.exe', right: modify }]],
      ['a library beside it', [{ path: 'choco/bin', right: addFiles }]],
      ['a folder above that can be moved', [{ path: 'choco', right: 0x1_0000 }]],
      ['a folder above in which all can delete', [{ path: 'choco', right: 0x40 }]],
      ['a drive in which all can delete', [{ path: '/', right: 0x40 }]],
    ];
    const texts = [...runs, ...holes].map(
      ([what, entries]) => `
$env:ENTRIES = '${toJson(entries)}'
$Checked.Clear()
try { [void](Invoke-Program '${at('choco/bin/choco.exe')}' @('x')); 'RAN ${what}' }
catch { "REFUSED ${what}: $($_.Exception.Message)" }`,
    );
    const lines = (await powershell(texts.join('\n'))).trim().split('\n');

    expect(lines.slice(0, runs.length)).toEqual(runs.map(([what]) => `RAN ${what}`));
    for (const [index, [what]] of holes.entries())
      expect(lines[runs.length + index]).toMatch(
        new RegExp(`^REFUSED ${what}: .* is not used as administrator`),
      );
  });

  it('is checked for administrators only', async () => {
    const entries = [{ path: 'choco/bin/choco.exe', right: 'owner' }] as const;
    const text = `Invoke-Program '${at('choco/bin/choco.exe')}' @('x') | Out-Null; 'RAN'`;

    expect(await powershell(text, entries, { IS_ADMIN: 'no' })).toContain('RAN');
  });

  it('goes through links, and never over the network', async () => {
    const ask = (path: string) =>
      powershell(`"WRITERS $(@(Get-Writers '${path}') -join ' ')"`, [{ path: 'open', right: modify }]);

    expect(await ask(at('choco/link'))).toContain(`WRITERS ${users}`);
    expect(await ask(at('choco/bin'))).toMatch(/^WRITERS *$/m);
    expect(await ask('\\\\server\\share\\x')).toContain('WRITERS whoever controls that server');
  });

  it("goes into everybody's PATH only where no folder above can be replaced", async () => {
    const result = await powershell(`Assert-AdminsOnly '${at('open/inside')}'; 'PUT'`, [
      { path: 'open', right: modify },
    ]);

    expect(result).not.toContain('PUT');
    expect(result).toContain('cannot be added to the PATH');
  });

  it('gets no key by its environment, which is restored afterwards', async () => {
    const text = `Invoke-Program '${at('choco/bin/choco.exe')}' @('x'); "AFTER $env:GO_WIN_TOOLS_KEY [$env:GIT_TERMINAL_PROMPT]"`;
    const result = await powershell(text, [], { GO_WIN_TOOLS_KEY: 'secret-key' });

    expect(result).toContain('PATH=');
    expect(result).not.toContain('=secret-key');
    expect(result).toContain('AFTER secret-key []');
  });

  it('stores a readable key only where nobody else can read it', async () => {
    await writeFile(at('scoop.json'), '{}');
    const text = `
$Scoop = @{ Config = '${at('scoop.json')}' }
try { Assert-Private @((New-Part $Scoop.Config), $Scoop.Config); 'PRIVATE' } catch { $_.Exception.Message }
Test-Path '${at('scoop.json.go-win-tools')}'`;
    const shared = await powershell(text, [{ path: 'scoop.json', right: readAndRun }]);
    const own = await powershell(text, [
      { path: 'scoop.json', sid: 'S-1-5-21-1-2-3-1001', right: readAndRun },
    ]);

    expect(shared).toMatch(/The key is not written to .*S-1-5-32-545[\s\S]*False/);
    expect(own.trim()).toBe('PRIVATE\nTrue');
  });

  it('writes keys into a new file of its own, whatever was there before', async () => {
    await writeFile(at('stranger'), 'theirs');
    await writeFile(at('config.json'), 'old');
    await symlink(at('stranger'), at('config.json.go-win-tools'));
    const text = `
$part = New-Part '${at('config.json')}'
[IO.File]::WriteAllText($part, 'key')
Move-IntoPlace $part '${at('config.json')}'
'DONE'`;

    expect(await powershell(text)).toContain('DONE');
    expect(await readFile(at('config.json'), 'utf8')).toBe('key');
    expect(await readFile(at('stranger'), 'utf8')).toBe('theirs');
  });
});
