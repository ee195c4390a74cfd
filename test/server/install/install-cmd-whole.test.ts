import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInstallScript, renderCmd } from '../../../server/install/render.ts';
import { type InstallMachine, makeInstallMachine, renderForTests } from '../../kit/install/machine.ts';
import { hasProgram, mustRun, type RunResult, run } from '../../kit/programs.ts';
import { makeTempDir, productDir, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { hasWine, startWine, type Wine } from '../../kit/wine.ts';

const canRun = hasWine && hasProgram('pwsh');

describe.skipIf(!canRun)(
  "install.cmd in wine's cmd, over a bridge to pwsh (needs wine, mingw-w64 and pwsh)",
  () => {
    let dir: string;
    let wine: Wine;
    let server: TestServer;
    let machine: InstallMachine;
    let scriptServer: Server;
    let script: string;
    const drive = (path: string) => join(dir, 'wine', 'drive_c', path);

    beforeAll(async () => {
      dir = await makeTempDir();
      [wine, server, machine] = [await startWine(dir), await startTestServer({}), await makeInstallMachine()];
      script = await renderForTests({ publicUrl: server.url, readAuth: undefined });
      scriptServer = createServer((_req, res) => res.end(script)).listen(0, '127.0.0.1');
      await once(scriptServer, 'listening');
      const shell = drive('windows/system32/WindowsPowerShell/v1.0/powershell.exe');
      await rm(shell, { force: true });
      await mustRun('x86_64-w64-mingw32-gcc', ['-o', shell, join(productDir, 'test/kit/fake-powershell.c')]);
      const { cmd } = await readInstallScript(productDir);
      const publicUrl = `http://127.0.0.1:${(scriptServer.address() as AddressInfo).port}`;
      await writeFile(drive('install.cmd'), renderCmd(cmd, { publicUrl, readAuth: undefined }, script));
    });
    afterAll(async () => {
      scriptServer.close();
      await wine.stop();
      await machine.remove();
      await server.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    });

    /** Runs in pwsh what the stand-in for powershell.exe was given. */
    async function answer(isOver: () => boolean, env: NodeJS.ProcessEnv): Promise<void> {
      while (!existsSync(drive('bridge/request'))) {
        if (isOver()) return;
        await sleep(50);
      }
      const [url, sha256, ...words] = (await readFile(drive('bridge/request'), 'utf8'))
        .trimEnd()
        .split(/\r?\n/);
      const own = { ...machine.env, ...env, GO_WIN_TOOLS_URL: url, GO_WIN_TOOLS_SHA256: sha256 };
      const { code, stdout, stderr } = await run('pwsh', words, { env: own, cwd: machine.dir });
      await writeFile(drive('bridge/response.part'), `${code}\n${stdout}${stderr}`);
      await rename(drive('bridge/response.part'), drive('bridge/response'));
    }

    async function install(words: string, env: NodeJS.ProcessEnv = {}): Promise<RunResult> {
      await rm(drive('bridge'), { recursive: true, force: true });
      await mkdir(drive('bridge'));
      const lines = [
        ...['@echo off', 'set "FAKE_LOG=C:\\log.txt"', 'set "FAKE_BRIDGE=C:\\bridge"'],
        // no folder for temporary files can be used
        ...['set "TEMP=C:\\nowhere"', 'set "TMP=Q:\\"', `C:\\install.cmd ${words}`, ''],
      ];
      await writeFile(drive('run.cmd'), lines.join('\r\n'));
      let isOver = false;
      const ended = wine.run('cmd', ['/c', 'C:\\run.cmd']).finally(() => {
        isOver = true;
      });
      await answer(() => isOver, env);
      return ended;
    }

    it('sets up the machine, and ends with the exit code of install.ps1', async () => {
      const set = await install('-Part chocolatey -LogFile "my log.txt"');
      const asked = await machine.asked();
      const denied = await install('-Remove', { FAKE_ADMIN: 'no' });
      const usage = await install('stray "a;b"');

      expect([set.code, denied.code, usage.code], `${set.stdout}\n${denied.stdout}\n${usage.stdout}`).toEqual(
        [0, 4, 2],
      );
      expect(set.stdout).toContain('Done: Chocolatey.');
      expect(await readFile(join(machine.dir, 'my log.txt'), 'utf8')).toContain('exit code 0');
      expect(asked).toContain(`choco source add --name=go-win-tools --source=${server.url}/nuget --yes`);
      expect(denied.stdout).toContain(
        'This needs an administrator: Chocolatey: source go-win-tools is removed',
      );
      expect(usage.stdout).toContain('unexpected: stray a;b');
    });

    it('ends with 3 when install.ps1 is not the one that it was made for', async () => {
      const kept = script;
      script = '<html>please log in</html>';
      const result = await install('');
      script = kept;

      expect(result.code).toBe(3);
      expect(result.stdout).toContain('install.ps1 could not be downloaded');
      expect(await machine.asked()).toEqual([]);
    });
  },
);
