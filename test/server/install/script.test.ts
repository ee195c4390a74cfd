import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readInstallScript, renderPowerShell } from '../../../server/install/render.ts';
import { parsePowerShell } from '../../kit/powershell.ts';
import { faultsOf } from '../../kit/powershell-rules.ts';
import { productDir } from '../../kit/test-server.ts';

describe('install.ps1, by a parser and rules of our own (needs no PowerShell)', () => {
  let script: string;
  /** The text of one function. */
  const functionOf = (name: string) =>
    new RegExp(`^function ${name}\\b[^\\r\\n]*(\\}\\r$|[\\s\\S]*?^\\}\\r$)`, 'm').exec(script)?.[0] ?? '';
  beforeAll(async () => {
    const { ps1 } = await readInstallScript(productDir);
    script = renderPowerShell(ps1, { publicUrl: 'https://feed.example', readAuth: 'all' });
  });

  it('has no fault', async () => {
    expect(faultsOf(script, await parsePowerShell(script))).toEqual([]);
  });

  it.each([
    ['not understood', '$a = $b ? 1 : 2'],
    ['not understood', '$a ??= 1'],
    ['not understood', '$a = $b?.c'],
    ['chain of && or ||', 'Test-Path a && Test-Path b'],
    ['not ASCII', "Write-Host '\u2013'"],
    ['alias', 'rm a'],
    ['alias', '$a | % { $_ }'],
    ['runs text', 'Invoke-Expression $a'],
    ['program outside', 'git status'],
    ['unknown command', 'Get-Everything'],
    ['call that is not', '& $a status'],
    ['ends at the first line of stderr', 'Test-Path a 2> $null'],
  ])('would have the fault: %s in %s', async (fault, text) => {
    expect(faultsOf(text, await parsePowerShell(text)).join('\n')).toContain(fault);
  });

  it('declares -WhatIf, and changes things in one place only, which -WhatIf and -Check never reach', () => {
    expect(script).toContain('[CmdletBinding(SupportsShouldProcess = $true');
    expect(script.match(/\. \$task\.Do\b/g)).toHaveLength(1);
    expect(functionOf('Invoke-Section')).toContain('. $task.Do');
    const run = functionOf('Invoke-Run');
    for (const look of ['if ($Check) { return', 'if ($WhatIfPreference) { return', 'return Stop-ForRights']) {
      expect(run.indexOf(look), look).toBeGreaterThan(-1);
      expect(run.indexOf(look), look).toBeLessThan(run.indexOf('Invoke-Section'));
    }
  });

  it('is the same in any session: strict or not, on a console or remote, in whatever folder its process began', () => {
    const body = script.slice(script.indexOf('$global:LASTEXITCODE = '));
    const invoke = functionOf('Invoke-Program');

    expect(body.indexOf('Set-StrictMode -Off')).toBeGreaterThan(-1);
    expect(body.indexOf('Set-StrictMode -Off')).toBeLessThan(body.indexOf('function '));
    expect(invoke.indexOf("$ErrorActionPreference = 'Continue'")).toBeGreaterThan(-1);
    expect(invoke.indexOf("$ErrorActionPreference = 'Continue'")).toBeLessThan(invoke.indexOf('& $Program'));
    expect(script).not.toContain('GetFullPath(');
  });

  it('uses Windows-only features in one part alone', async () => {
    const part = await readFile(join(productDir, 'server/install/script/windows.ps1'), 'utf8');
    const rest = script.replace(part.replace(/\r?\n/g, '\r\n'), () => '');

    expect(rest.length).toBeLessThan(script.length);
    for (const only of ['Microsoft.Win32', 'WindowsIdentity', 'ProtectedData', 'DriveInfo'])
      expect(rest, only).not.toContain(only);
  });

  it.each([
    ['https://community.chocolatey.org/api/v2/', true],
    ['https://chocolatey.org/api/v2/', true],
    ['https://licensedpackages.chocolatey.org/api/v2/', false],
    ['https://chocolatey.org.example/api/v2/', false],
    ['https://proxy.example/https://community.chocolatey.org/', false],
  ])('recognizes %s as the community source: %s', (address, isCommunity) => {
    const [, pattern = ''] = /-match '\\A([^']*chocolatey[^']*)'/.exec(script) ?? [];

    expect(pattern).not.toBe('');
    expect(new RegExp(`^${pattern}`, 'i').test(address)).toBe(isCommunity);
  });

  it.each([
    ['S-1-5-18', 'SYSTEM', true],
    ['S-1-5-32-544', 'Administrators', true],
    ['S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464', 'TrustedInstaller', true],
    ['S-1-5-21-1004336348-1177238915-682003330-512', 'Domain Admins', true],
    ['S-1-5-32-545', 'Users', false],
    ['S-1-5-11', 'Authenticated Users', false],
    ['S-1-1-0', 'Everyone', false],
    ['S-1-5-4', 'INTERACTIVE', false],
    ['S-1-5-21-1004336348-1177238915-682003330-513', 'Domain Users', false],
    ['S-1-5-21-1004336348-1177238915-682003330-1512', 'a user', false],
    ['S-1-5-180', 'nobody', false],
  ])('allows %s (%s) to write to the PATH of the machine: %s', (sid, _who, isTrusted) => {
    const [, pattern = ''] = /\$trusted = '\\A(S-1-.*)\\z'/.exec(script) ?? [];

    expect(pattern).not.toBe('');
    expect(new RegExp(`^${pattern}$`).test(sid)).toBe(isTrusted);
  });

  // System.Security.AccessControl.FileSystemRights, and the generic rights of Windows
  it.each([
    ['CreateFiles', 0x2, true],
    ['AppendData', 0x4, true],
    ['DeleteSubdirectoriesAndFiles', 0x40, true],
    ['Delete', 0x1_0000, true],
    ['ChangePermissions', 0x4_0000, true],
    ['TakeOwnership', 0x8_0000, true],
    ['GENERIC_ALL', 0x1000_0000, true],
    ['GENERIC_WRITE', 0x4000_0000, true],
    ['ReadAndExecute', 0x2_00a9, false],
    ['Synchronize', 0x10_0000, false],
    ['GENERIC_EXECUTE', 0x2000_0000, false],
  ])('takes %s for a right to change what runs: %s', (_name, bits, isChange) => {
    const [, mask = ''] = /\$changes = (0x[0-9A-F]+)\r/.exec(script) ?? [];

    expect((Number(mask) & bits) !== 0).toBe(isChange);
  });

  it.each([
    ['Invoke-Program', 'Assert-OutOfReach @($Program', '& $Program'],
    ['Invoke-Program', 'Set-Environment $Unattended', '& $Program'],
    ['Invoke-Scoop', 'Assert-Scoop', 'Invoke-Program'],
    ['Invoke-Choco', 'Assert-Choco', 'Invoke-Program'],
    ['Edit-ChocoSource', 'Assert-Choco', 'New-Part'],
    ['Edit-ChocoSource', 'New-Part', 'Save('],
    ['Write-ScoopConfig', 'New-Part', 'WriteAllText'],
    ['Write-ScoopConfig', 'Assert-Private', 'WriteAllText'],
    ['Disable-Community', 'Assert-ChocoAnswers', "'disable'"],
    ['Get-ShimsTasks', 'Assert-ShimsFolder $Way', 'Set-FirstInPath $Way'],
    ['Assert-ShimsFolder', 'if (-not $Way.IsMachine) { return }', 'Assert-AdminsOnly $Way.Dir'],
    // a folder named `a;C:\\open` would be two folders
    ['Set-FirstInPath', "-match '[;%]'", 'Write-Registry'],
    ['Invoke-Run', 'Test-Answers', 'Invoke-Section'],
    // what a feed answers is no option of choco's
    ['Assert-Feed', "-match '\\A[A-Za-z0-9_][A-Za-z0-9_.-]*\\z'", '$Given.Offers = '],
  ])('does in %s first: %s', (name, first, then) => {
    const text = functionOf(name);

    expect(text.indexOf(first)).toBeGreaterThan(-1);
    expect(text.indexOf(first)).toBeLessThan(text.indexOf(then));
  });

  it('removes keys whatever the server requires by then', () => {
    for (const name of ['Get-ChocoRemoval', 'Get-ScoopRemoval', 'Get-PathRemoval'])
      expect(functionOf(name)).not.toContain('$ReadAuth');
  });

  it('writes the key on no command line and to no output', () => {
    const lines = script.split('\r\n').filter((line) => /\$key\b|Given\.Key/i.test(line));

    expect(lines.length).toBeGreaterThan(10);
    expect(
      lines.filter((line) => /Write-(Host|Warning|Line|Note|Log).*(\$key\b|Given\.Key)/i.test(line)),
    ).toEqual([]);
    // on stdin of git alone
    expect(
      lines.filter((line) => /Invoke-(Program|Scoop|Choco|Git)\b/.test(line)).map((line) => line.trim()),
    ).toEqual([
      `[void](Invoke-Git @('credential', 'approve') @(0) ((Get-CredentialLines $Url) + "password=$($Given.Key)"))`,
    ]);
  });

  it("knows the product's own tools", async () => {
    const [, list = ''] = /\$Tools = @\((.*)\)/.exec(script) ?? [];
    const files = await readdir(join(productDir, 'manifest-gen/tools'));

    expect(list.replaceAll("'", '').split(', ')).toEqual(
      files.map((file) => file.replace('.yaml', '')).sort(),
    );
  });
});
