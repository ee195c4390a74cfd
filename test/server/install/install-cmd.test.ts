import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readInstallScript, renderCmd } from '../../../server/install/render.ts';
import { hasProgram, mustRun, type RunResult, run } from '../../kit/programs.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';
import { hasWine, startWine, type Wine } from '../../kit/wine.ts';

/** What PowerShell is given, before the arguments. */
function commandOf(cmd: string): string {
  return / -Command "([^"]*)" %\*/.exec(cmd)?.[1] ?? '';
}

const publicUrl = 'http://feed.example:8080/a&b/%OS%/c(d)!e^f';

describe.skipIf(!hasWine)('install.cmd, run by cmd (needs wine and mingw-w64)', () => {
  let dir: string;
  let wine: Wine;
  let log: string;
  let template: string;
  const drive = () => join(dir, 'wine', 'drive_c');

  beforeAll(async () => {
    dir = await makeTempDir();
    wine = await startWine(dir);
    log = join(drive(), 'log.txt');
    const fake = join(drive(), 'windows/system32/WindowsPowerShell/v1.0/powershell.exe');
    await rm(fake, { force: true });
    const source = join(productDir, 'test/kit/fake-powershell.c');
    await mustRun('x86_64-w64-mingw32-gcc', ['-o', fake, source]);
    template = (await readInstallScript(productDir)).cmd;
    await writeFile(
      join(drive(), 'install.cmd'),
      renderCmd(template, { publicUrl, readAuth: undefined }, 'script'),
    );
  });
  beforeEach(() => rm(log, { force: true }));
  afterAll(async () => {
    await wine.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Through a batch file of its own, which keeps wine's own quoting out of the way. */
  async function install(words: string, env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
    const sets = Object.entries({ FAKE_LOG: 'C:\\log.txt', TEMP: 'C:\\te mp', ...env });
    const lines = ['@echo off', ...sets.map(([name, value]) => `set "${name}=${value}"`)];
    await writeFile(
      join(drive(), 'run.cmd'),
      [...lines, 'md "C:\\te mp" 2>NUL', `C:\\install.cmd ${words}`, ''].join('\r\n'),
    );
    return wine.run('cmd', ['/c', 'C:\\run.cmd']);
  }
  const logged = async () => (await readFile(log, 'utf8')).split(/\r?\n/);

  it('starts one PowerShell, by its whole path, with all arguments as typed, and writes no file', async () => {
    const result = await install('-Beta -KeyFile "C:\\my keys\\read.txt" -Shims');
    const lines = await logged();
    const starts = lines.filter((line) => line.startsWith('LINE '));

    expect(result.code, result.stderr).toBe(0);
    expect(lines).toContain(`URL ${publicUrl}/install.ps1`);
    expect(lines.find((line) => line.startsWith('SHA256 '))).toMatch(/^SHA256 [0-9a-f]{64}$/);
    expect(starts).toHaveLength(1);
    expect(starts[0]).toMatch(/^LINE "C:\\windows\\System32\\WindowsPowerShell\\v1\.0\\powershell\.exe" /i);
    expect(starts[0]).toContain(` -Command "${commandOf(template)}" `);
    expect(starts[0]).toMatch(/ -Beta -KeyFile "C:\\my keys\\read\.txt" -Shims$/);
    expect(await readdir(join(drive(), 'te mp'))).toEqual([]);
  });

  it.each(['3', '-1'])('ends with the exit code of the script: %s', async (code) => {
    expect((await install('-WhatIf', { FAKE_CODE: code, ERRORLEVEL: '0' })).code).toBe(Number(code) & 0xff);
  });

  it('keeps modules of PowerShell 7 out of Windows PowerShell', async () => {
    await install('', { PSModulePath: 'C:\\Program Files\\PowerShell\\7\\Modules' });

    expect((await logged()).filter((line) => line.startsWith('MODULES '))).toEqual(['MODULES none']);
  });
});

const script = `[CmdletBinding(SupportsShouldProcess)]
param([switch] $Beta, [string] $KeyFile = '', [string] $ShimsDir = '')
Write-Host "Beta=$Beta KeyFile=[$KeyFile] ShimsDir=[$ShimsDir] WhatIf=$WhatIfPreference"
if ($ShimsDir -eq 'throws') { throw 'not all was done' }
if ($ShimsDir -eq 'exits') { exit 3 }
$global:LASTEXITCODE = 0
if ($ShimsDir -eq 'ends') {
  $global:LASTEXITCODE = 4
  $PSCmdlet.ThrowTerminatingError((New-Object Management.Automation.ErrorRecord -ArgumentList (New-Object Exception -ArgumentList 'as said above'), 'x', 'NotSpecified', $null))
}
`;

describe.skipIf(!hasProgram('pwsh'))('the command that install.cmd gives to PowerShell (needs pwsh)', () => {
  let command: string;
  let server: Server;
  let answer = script;
  beforeAll(async () => {
    command = commandOf((await readInstallScript(productDir)).cmd);
    server = createServer((_req, res) => res.end(answer)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => {
    answer = script;
  });
  afterAll(() => server.close());

  function runCommand(words: readonly string[]): Promise<RunResult> {
    const { port } = server.address() as AddressInfo;
    const env = {
      GO_WIN_TOOLS_URL: `http://127.0.0.1:${port}/`,
      GO_WIN_TOOLS_SHA256: hash('sha256', script),
    };
    return run('pwsh', ['-NoProfile', '-ExecutionPolicy', 'Bypass', '-Command', command, ...words], { env });
  }

  it.each([
    [[], 'Beta=False KeyFile=[] ShimsDir=[] WhatIf=False'],
    [
      ['-Beta', '-KeyFile', 'C:\\my keys\\a', '-WhatIf'],
      'Beta=True KeyFile=[C:\\my keys\\a] ShimsDir=[] WhatIf=True',
    ],
    [['-Beta:$false', '-KeyFile:C:\\a'], 'Beta=False KeyFile=[C:\\a] ShimsDir=[] WhatIf=False'],
    [['-KeyFile', "a'; Write-Host EVIL; '$(1+1)`n\u2019"], "KeyFile=[a'; Write-Host EVIL; '$(1+1)`n\u2019] "],
    [['-KeyFile:$(1+1)'], 'KeyFile=[$(1+1)] '],
    [['-KeyFile;Write-Host', '#>x'], 'KeyFile=[-KeyFile;Write-Host] ShimsDir=[#>x]'],
  ])('passes on the words %j as words', async (words, said) => {
    const result = await runCommand(words);

    expect(result.stdout).toContain(said);
    expect(result.stdout.trim().split('\n')).toHaveLength(1);
    expect(result.code, result.stderr).toBe(0);
  });

  it.each([
    ['throws', 1],
    ['exits', 3],
    ['ends', 4],
  ])('ends as the script ends that %s: %i', async (how, code) => {
    expect((await runCommand(['-ShimsDir', how])).code).toBe(code);
  });

  it.each([['-Nonsense'], ['-KeyFile']])(
    'ends with 2 at words that the script does not take: %s',
    async (...words) => {
      const result = await runCommand(words);

      expect([result.code, result.stdout]).toEqual([2, '']);
      expect(result.stderr).toContain('install.cmd: ');
    },
  );

  it.each(['<html>please log in</html>', `${script} `, ''])(
    'runs nothing but the script that it was made for: %j',
    async (text) => {
      answer = text;
      const result = await runCommand(['-Beta']);

      expect([result.code, result.stdout]).toEqual([3, '']);
      expect(result.stderr).toContain('install.ps1 could not be downloaded');
    },
  );
});
