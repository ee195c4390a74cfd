import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InstallMachine, makeInstallMachine } from '../kit/install/machine.ts';
import { run } from '../kit/programs.ts';
import { hasPwsh } from '../kit/psresourceget.ts';
import { makeKey, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';

const guide = await readFile(join(productDir, 'docs/clients/fleet.md'), 'utf8');

/** A script of the guide; Windows PowerShell is powershell.exe, here it is pwsh. */
function scriptOf(name: string, part: string, number: string): string {
  const [, block] = new RegExp(`\`\`\`powershell\\n(# ${name}[\\s\\S]*?)\`\`\``).exec(guide) ?? [];
  if (block === undefined) throw new Error(`no script ${name} in the guide`);
  return block
    .replaceAll("'powershell.exe'", "'pwsh'")
    .replace("$part = 'chocolatey'", `$part = '${part}'`)
    .replace("$package = '1'", `$package = '${number}'`);
}

const isSetUp = { code: 0, said: 'go-win-tools is set up\n' };
const isNot = { code: 0, said: '' };

// The machine of the kit has programs that are scripts of sh.
describe.skipIf(!hasPwsh || process.platform === 'win32')(
  'the scripts of docs/clients/fleet.md (needs pwsh)',
  () => {
    let server: TestServer;
    let machine: InstallMachine;
    let key: string;

    beforeAll(async () => {
      server = await startTestServer({ readAuth: 'feed' });
      key = await makeKey(server, ['read']);
    });
    beforeEach(async () => {
      machine = await makeInstallMachine();
      await machine.serve({ publicUrl: server.url, readAuth: 'feed' });
      return machine.remove;
    });
    afterAll(() => server.stop());

    async function runScript(name: string, part: string, args: readonly string[] = [], number = '1') {
      const file = join(machine.dir, name);
      await writeFile(file, scriptOf(name, part, number));
      const env = {
        ...machine.env,
        ProgramW6432: join(machine.dir, 'Program Files'),
        LOCALAPPDATA: join(machine.dir, 'Local App Data'),
      };
      const result = await run('pwsh', ['-NoProfile', '-NonInteractive', '-File', file, ...args], { env });
      return { ...result, said: result.stdout };
    }
    const setUp = async (part: string, ...args: string[]) =>
      (await runScript('setup.ps1', part, ['-Part', part, ...args])).code;
    const detect = async (part: string, number?: string) => {
      const { code, said } = await runScript('detect.ps1', part, [], number);
      return { code, said };
    };

    it('set up a machine, detect it, and remove everything for the next package', {
      timeout: 600_000,
    }, async () => {
      expect(await setUp('chocolatey')).toBe(3);
      expect(await detect('chocolatey')).toEqual(isNot);

      await writeFile(join(machine.dir, 'read.key'), `${key}\n`);
      expect(await setUp('chocolatey')).toBe(0);
      expect(await readFile(machine.paths.chocoConfig, 'utf8')).toContain(`value="${server.url}/nuget"`);
      const log = await readFile(join(machine.dir, 'Program Files/go-win-tools/install.log'), 'utf8');
      expect(log).toContain('exit code 3');
      expect(log).toContain('exit code 0');
      expect(log).not.toContain(key);
      expect(await detect('chocolatey')).toEqual(isSetUp);
      expect(await detect('chocolatey', '2')).toEqual(isNot);

      await rm(machine.paths.chocoConfig);
      expect(await detect('chocolatey')).toEqual(isNot);
    });

    it('set up a user without a key, and remove everything again', { timeout: 600_000 }, async () => {
      expect(await setUp('scoop')).toBe(0);
      expect(await detect('scoop')).toEqual(isSetUp);

      expect(await setUp('scoop', '-Remove')).toBe(0);
      expect(await detect('scoop')).toEqual(isNot);
    });
  },
);
