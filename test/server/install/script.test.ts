import { beforeAll, describe, expect, it } from 'vitest';
import { readInstallScript, renderPowerShell } from '../../../server/install/render.ts';
import { productDir } from '../../kit/house.ts';
import { nodesOf, parsePowerShell } from '../../kit/powershell.ts';
import { faultsOf } from '../../kit/powershell-rules.ts';

describe('install.ps1, by a parser and rules of our own (needs no PowerShell)', () => {
  let script: string;
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
    ['5.1 makes errors', 'Test-Path a 2> $null'],
  ])('would have the fault: %s in %s', async (fault, text) => {
    expect(faultsOf(text, await parsePowerShell(text)).join('\n')).toContain(fault);
  });

  it('declares -WhatIf, and changes nothing that it does not guard', async () => {
    const root = await parsePowerShell(script);
    const guarded = [
      ...['SetValue(', 'CreateSubKey(', 'DeleteSubKey('],
      ...['Move-IntoPlace $part', 'Remove-Item', "'approve'", "'reject'"],
    ];

    expect(script).toContain('[CmdletBinding(SupportsShouldProcess)]');
    const functions = nodesOf(root, 'function_statement').map(({ text }) => text);
    for (const change of guarded) {
      const makers = functions.filter((text) => text.includes(change));
      expect(makers.length, change).toBeGreaterThan(0);
      for (const text of makers) {
        expect(text.indexOf('ShouldProcess'), text).toBeGreaterThan(-1);
        expect(text.indexOf('ShouldProcess'), text).toBeLessThan(text.indexOf(change));
      }
    }
  });

  it('is the same in any session: strict or not, on a console or remote, in whatever folder its process began', () => {
    const body = script.slice(script.indexOf(')\r\n$ErrorActionPreference'));
    const invoke = /function Invoke-Program[\s\S]*?\r\n}/.exec(script)?.[0] ?? '';

    expect(body.indexOf('Set-StrictMode -Off')).toBeGreaterThan(-1);
    expect(body.indexOf('Set-StrictMode -Off')).toBeLessThan(body.indexOf('function '));
    expect(invoke.indexOf("$ErrorActionPreference = 'Continue'")).toBeGreaterThan(-1);
    expect(invoke.indexOf("$ErrorActionPreference = 'Continue'")).toBeLessThan(invoke.indexOf('& $Program'));
    expect(script).not.toContain('GetFullPath(');
  });

  it.each([
    ['https://community.chocolatey.org/api/v2/', true],
    ['https://chocolatey.org/api/v2/', true],
    ['https://licensedpackages.chocolatey.org/api/v2/', false],
    ['https://chocolatey.org.example/api/v2/', false],
    ['https://proxy.example/https://community.chocolatey.org/', false],
  ])('takes %s for the community source: %s', (address, isCommunity) => {
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
  ])('lets %s (%s) write into the PATH of the machine: %s', (sid, _who, isTrusted) => {
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

  it('puts no folder into the PATH of the machine before it looked at who can write there', async () => {
    const functions = nodesOf(await parsePowerShell(script), 'function_statement').map(({ text }) => text);
    const install = functions.find((text) => text.startsWith('function Install-Shims')) ?? '';

    expect(install).toContain('if ($isMachine) { Assert-AdminsOnly $dir }');
    expect(install.indexOf('Assert-AdminsOnly')).toBeLessThan(install.indexOf('Set-FirstInPath'));
  });

  it.each([
    ['Invoke-Program', 'Assert-OutOfReach @($Program', '& $Program'],
    ['Invoke-Program', '$env:GO_WIN_TOOLS_KEY = $null', '& $Program'],
    ['Invoke-Scoop', 'Assert-Scoop', 'Invoke-Program'],
    ['Install-Scoop', 'Assert-Scoop', 'Set-PrivateHost'],
    ['Remove-Scoop', 'Assert-Scoop', 'Set-PrivateHost'],
    ['Install-Choco', 'Assert-Choco', 'Set-ChocoSource'],
    ['Remove-Choco', 'Assert-Choco', 'Invoke-Program'],
    ['Install-Shims', 'Assert-Choco', 'Invoke-Program'],
    ['Set-PrivateHost', 'New-Part', 'WriteAllText'],
    ['Set-PrivateHost', 'Assert-Private', 'WriteAllText'],
    ['Set-ChocoKey', 'New-Part', 'Save('],
    ['Remove-BackupSource', 'New-Part', 'Save('],
    // a folder named `a;C:\\open` would be two folders
    ['Set-FirstInPath', "-match '[;%]'", 'SetValue('],
    // what a feed answers is no option of choco's
    ['Show-CompetingSources', "-match '\\A[A-Za-z0-9_][A-Za-z0-9_.-]*\\z'", "'--exact'"],
  ])('does in %s first: %s', async (name, first, then) => {
    const functions = nodesOf(await parsePowerShell(script), 'function_statement').map(({ text }) => text);
    const text = functions.find((body) => new RegExp(`^function ${name}\\b`).test(body)) ?? '';

    expect(text.indexOf(first)).toBeGreaterThan(-1);
    expect(text.indexOf(first)).toBeLessThan(text.indexOf(then));
  });

  it("believes of a user no more than that user's own PATH", () => {
    const branch = script.slice(
      script.indexOf("Invoke-Part 'PATH'"),
      script.indexOf("Invoke-Part 'Chocolatey'"),
    );

    expect(branch.indexOf('Get-ShimsFolders $true')).toBeGreaterThan(
      branch.indexOf('Get-ShimsFolders $false'),
    );
    expect(branch.indexOf('Get-ShimsFolders $true')).toBeLessThan(branch.indexOf("'' $true"));
  });

  it('takes keys back whatever the server asks for by then', async () => {
    const functions = nodesOf(await parsePowerShell(script), 'function_statement').map(({ text }) => text);
    const removing = functions.filter((text) => text.startsWith('function Remove-'));
    const branch = script.slice(script.indexOf('if ($Remove) {'), script.indexOf('# The feed needs a key'));

    expect(removing.length).toBeGreaterThan(3);
    for (const text of [...removing, branch]) expect(text).not.toContain('$ReadAuth');
    for (const name of ['Remove-Choco', 'Remove-Scoop', 'Remove-GitCredential'])
      expect(branch).toContain(name);
  });

  it('writes the key on no command line and to no output', () => {
    const lines = script.split('\r\n').filter((line) => /\$key\b/i.test(line));

    expect(lines.length).toBeGreaterThan(10);
    expect(lines.filter((line) => /Write-(Host|Warning|Done).*\$key\b/i.test(line))).toEqual([]);
    // on stdin of git alone
    expect(lines.filter((line) => /Invoke-(Program|Scoop)/.test(line)).map((line) => line.trim())).toEqual([
      `[void](Invoke-Program $git @('credential', 'approve') @(0) ((Get-GitCredentialLines) + "password=$Key"))`,
    ]);
  });
});
