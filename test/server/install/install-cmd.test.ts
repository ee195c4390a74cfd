import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readInstallScript, renderCmd } from '../../../server/install/render.ts';
import { makeTempDir, productDir } from '../../kit/house.ts';
import { mustRun, type RunResult } from '../../kit/programs.ts';
import { hasWine, startWine, type Wine } from '../../kit/wine.ts';

const publicUrl = 'http://feed.example:8080/a&b/%OS%/c(d)!e^f';

describe.skipIf(!hasWine)('install.cmd, run by cmd (needs wine and mingw-w64)', () => {
  let dir: string;
  let wine: Wine;
  let log: string;
  const drive = () => join(dir, 'wine', 'drive_c');

  beforeAll(async () => {
    dir = await makeTempDir();
    wine = await startWine(dir);
    log = join(drive(), 'log.txt');
    const fake = join(drive(), 'windows/system32/WindowsPowerShell/v1.0/powershell.exe');
    await rm(fake, { force: true });
    const source = join(productDir, 'test/kit/fake-powershell.c');
    await mustRun('x86_64-w64-mingw32-gcc', ['-o', fake, source]);
    const { cmd } = await readInstallScript(productDir);
    await writeFile(
      join(drive(), 'install.cmd'),
      renderCmd(cmd, { publicUrl, readAuth: undefined }, 'script'),
    );
  }, 120_000);
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

  it('downloads install.ps1, checks its digest, runs it with all arguments as they were typed', async () => {
    const result = await install('-Beta -KeyFile "C:\\my keys\\read.txt" -Shims');
    const lines = await logged();
    const [download = '', run = ''] = lines.filter((line) => line.startsWith('LINE '));
    const file = lines.find((line) => line.startsWith('FILE '))?.slice(5) ?? '';

    expect(result.code, result.stderr).toBe(0);
    expect(lines).toContain(`URL ${publicUrl}/install.ps1`);
    expect(lines.find((line) => line.startsWith('SHA256 '))).toMatch(/^SHA256 [0-9a-f]{64}$/);
    expect(download).toContain('DownloadFile($env:GO_WIN_TOOLS_URL, $env:GO_WIN_TOOLS_FILE)');
    expect(download).toContain('Get-FileHash');
    expect(run).toContain(
      `-NoProfile -ExecutionPolicy Bypass -File "${file}" -Beta -KeyFile "C:\\my keys\\read.txt" -Shims`,
    );
    expect(await readdir(join(drive(), 'te mp'))).toEqual([]);
  });

  it.each(['3', '-1'])('ends with the exit code of the script: %s', async (code) => {
    expect((await install('-WhatIf', { FAKE_FILE_CODE: code })).code).toBe(Number(code) & 0xff);
  });

  it('keeps modules of PowerShell 7 out of Windows PowerShell', async () => {
    await install('', { PSModulePath: 'C:\\Program Files\\PowerShell\\7\\Modules' });

    expect((await logged()).filter((line) => line.startsWith('MODULES '))).toEqual([
      'MODULES none',
      'MODULES none',
    ]);
  });

  it.each([
    ['-1', {}],
    ['1', { ERRORLEVEL: '0' }],
  ])('runs nothing when the download or its digest fails (%s, %o)', async (code, env) => {
    const result = await install('', { FAKE_COMMAND_CODE: code, ...env });

    expect(result.code).toBe(1);
    expect(result.stderr).toContain('could not be had');
    expect((await logged()).filter((line) => line.startsWith('LINE '))).toHaveLength(1);
    expect(await readdir(join(drive(), 'te mp'))).toEqual([]);
  });
});
