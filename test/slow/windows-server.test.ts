import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasGo } from '../kit/exe.ts';
import { freePort } from '../kit/free-port.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { mustRun } from '../kit/programs.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { until } from '../kit/until.ts';
import { hasWindowsNode, startWindowsMachine, type WindowsMachine } from '../kit/windows-machine.ts';

const adminKey = 'the-admin-key-of-this-test';
const serve = String.raw`C:\node\node.exe dist\main.js serve`;
const verb = String.raw`set DATA_DIR=C:\feed&& C:\node\node.exe dist\main.js`;

describe.skipIf(!hasWindowsNode || !hasGo)(
  'the server on Windows, under wine (needs go and wine and node for Windows)',
  () => {
    let dir: string;
    let machine: WindowsMachine;
    let url: string;
    beforeAll(async () => {
      dir = await makeTempDir();
      machine = await startWindowsMachine(dir);
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      const settings = { DATA_DIR: 'C:\\feed', PORT: String(port), STOP_DELAY: '1', ADMIN_API_KEY: adminKey };
      const given = Object.entries(settings).map(([name, value]) => `--env ${name}=${value}`);
      const options = `--cwd C:\\app --log-dir C:\\logs --stop-timeout 60000 ${given.join(' ')}`;
      const added = await machine.cmd(`C:\\shawl.exe add --name feed ${options} -- ${serve}`);
      expect(added.code, added.output).toBe(0);
      await start();
    });
    afterAll(async () => {
      await machine?.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    });

    async function start(): Promise<void> {
      await machine.cmd('net start feed');
      await until(async () => {
        await sleep(100);
        return fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        );
      });
    }

    async function log(): Promise<string> {
      const names = await readdir(join(machine.drive, 'logs'));
      return (
        await Promise.all(names.map((name) => readFile(join(machine.drive, 'logs', name), 'utf8')))
      ).join('');
    }

    function put(address: string, body: BodyInit): Promise<Response> {
      return fetch(`${url}${address}`, { method: 'PUT', headers: { 'X-NuGet-ApiKey': adminKey }, body });
    }

    it('takes packages and payloads, and gives the same bytes back', async () => {
      const nupkg = makeNupkg({ id: 'hello', version: '1.0.0' });
      const form = new FormData();
      form.set('package', new Blob([Uint8Array.from(nupkg)]));
      const exe = Buffer.alloc(3_000_000, 'exe');

      expect((await put('/api/v2/package', form)).status).toBe(201);
      expect((await put('/dl/hello/1.0.0/hello-windows-amd64.exe', Uint8Array.from(exe))).status).toBe(201);

      const found = await fetch(`${url}/nuget/package/hello/1.0.0`);
      expect(Buffer.from(await found.arrayBuffer()).equals(nupkg)).toBe(true);
      const payload = await fetch(`${url}/dl/hello/1.0.0/hello-windows-amd64.exe`);
      expect(Buffer.from(await payload.arrayBuffer()).equals(exe)).toBe(true);
    });

    it('gives the bucket to git', async () => {
      const clone = join(dir, 'clone');

      await mustRun('git', ['clone', '--quiet', `${url}/git/main/go-win-tools.git`, clone]);

      expect(await readdir(clone)).toEqual(expect.arrayContaining(['README.md', 'bucket']));
    });

    it("obeys the operator's verbs while it runs", async () => {
      const keys = await machine.cmd(`${verb} feed:keys add --name ci --scope push`);
      expect(keys.output).toMatch(/^gwt_/m);
      const backup = await machine.cmd(String.raw`${verb} feed:backup C:\backup.tgz`);
      expect(backup).toEqual({ code: 0, output: expect.stringContaining('every digest checked') });
      const verified = await machine.cmd(`${verb} feed:verify`);
      expect(verified).toEqual({ code: 0, output: expect.stringContaining('all is well') });
      const looked = await machine.cmd(
        `set PUBLIC_URL=${url}&& set PORT=${new URL(url).port}&& ${verb} feed:doctor`,
      );
      expect(looked.output).toMatch(/^ok +git +git \d.*the bucket is whole/m);
      expect(looked.output).not.toMatch(/^fail/m);
      const purged = await machine.cmd(`${verb} feed:purge hello@1.0.0 --reason test`);
      expect(purged.code, purged.output).toBe(0);
      expect((await fetch(`${url}/nuget/package/hello/1.0.0`)).status).toBe(410);
    });

    it('drains when the service is stopped, and takes a restored folder at the next start', async () => {
      await machine.cmd('net stop feed');
      await until(async () => {
        await sleep(100);
        return (await log()).includes('Command exited');
      });
      expect(await log()).toMatch(
        /Sending ctrl-C[\s\S]*"stopping\\?"[\s\S]*drained[\s\S]*Command exited after \d+ ms with code 0/,
      );

      const restored = await machine.cmd(String.raw`${verb} feed:restore C:\backup.tgz --replace`);
      expect(restored.code, restored.output).toBe(0);
      expect((await readdir(machine.drive)).filter((name) => name.startsWith('feed.before-'))).toHaveLength(
        1,
      );
      await start();

      // purged in the folder that was replaced
      expect((await fetch(`${url}/nuget/package/hello/1.0.0`)).status).toBe(410);
      const listed = await machine.cmd(`${verb} feed:keys list`);
      expect(listed.output).toContain('ci');
    });
  },
);
