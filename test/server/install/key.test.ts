import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canFakeMachine, type InstallMachine, makeInstallMachine } from '../../kit/install/machine.ts';
import { makeKey, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe.skipIf(!canFakeMachine)('the key for reading in install.ps1 (needs pwsh)', () => {
  const servers: Partial<Record<'feed' | 'all', TestServer>> = {};
  const keys: Partial<Record<'feed' | 'all', string>> = {};
  let machine: InstallMachine;
  beforeAll(async () => {
    for (const readAuth of ['feed', 'all'] as const) {
      const server = await startTestServer({ readAuth });
      servers[readAuth] = server;
      keys[readAuth] = await makeKey(server, ['read']);
    }
  });
  beforeEach(async () => {
    machine = await makeInstallMachine();
    return machine.remove;
  });
  afterAll(async () => {
    for (const server of Object.values(servers)) await server.stop();
  });
  const urlOf = (readAuth: 'feed' | 'all') => servers[readAuth]?.url ?? '';
  const keyOf = (readAuth: 'feed' | 'all') => keys[readAuth] ?? '';
  const serve = (readAuth: 'feed' | 'all') => machine.serve({ publicUrl: urlOf(readAuth), readAuth });
  const readConfig = () => readFile(machine.paths.scoopConfig, 'utf8').catch(() => '');
  const readCredentials = () => readFile(join(machine.dir, '.git-credentials'), 'utf8').catch(() => '');

  /** Files of the machine that have the text in them, but for those of the test itself. */
  async function filesWith(text: string): Promise<string[]> {
    const files = await readdir(machine.dir, { recursive: true, withFileTypes: true });
    const found: string[] = [];
    for (const file of files.filter(
      (each) => each.isFile() && !['runs.json', 'key.txt'].includes(each.name),
    )) {
      const path = join(file.parentPath, file.name);
      if ((await readFile(path, 'utf8')).includes(text)) found.push(path.slice(machine.dir.length + 1));
    }
    return found.sort();
  }

  it('is only needed by Chocolatey at the addresses for everybody under READ_AUTH=feed: without one Scoop is done, and the code is 3', async () => {
    await serve('feed');
    const runs = await machine.runAll([
      { command: 'install -NonInteractive' },
      { command: 'install -KeyFile "$HOME/nowhere.txt"' },
      { command: 'install -Key gwt_typed' },
      { command: 'install ', env: { GO_WIN_TOOLS_KEY: 'not a key' } },
      { command: 'install ', env: { GO_WIN_TOOLS_KEY: 'wrong-key-for-this-server' } },
      { command: 'install -Check -Part scoop' },
      { command: 'install -Check' },
      { command: 'install -LogFile log.txt', env: { GO_WIN_TOOLS_KEY: keyOf('feed') } },
      { command: 'install -Check', env: { GO_WIN_TOOLS_KEY: null } },
    ]);

    expect(runs.map(({ code }) => code)).toEqual([3, 3, 3, 3, 3, 0, 1, 0, 0]);
    expect(runs[0]?.said).toContain(
      'nobody can be asked for it here: set GO_WIN_TOOLS_KEY, or use -KeyFile FILE',
    );
    expect(runs[0]?.said).toContain('Done: Scoop.');
    expect(runs[1]?.said).toContain('nowhere.txt');
    expect(runs[2]?.said).toContain('not the key itself');
    expect(runs[2]?.said).not.toContain('gwt_typed');
    expect(runs[3]?.said).toContain('This is not a key');
    expect(runs[4]?.said).toMatch(/The server does not accept this key \(HTTP 40[13]\)/);
    for (const { said } of runs) expect(said).not.toMatch(/wrong-key|not a key$/m);
    expect(await filesWith(keyOf('feed'))).toEqual([]);
  });

  it("is needed by Scoop too under READ_AUTH=feed for a machine's own bucket: git has it then, and nothing else", async () => {
    await serve('feed');
    const env = { GO_WIN_TOOLS_KEY: keyOf('feed') };
    const steps = (...parameters: string[]) =>
      machine.runAll(parameters.map((own) => ({ command: `install -Part scoop ${own}`, env })));
    const [without] = await machine.runAll([
      { command: 'install -ClientId pc-7', env: { GO_WIN_TOOLS_KEY: null } },
    ]);
    const before = [await readConfig(), await readCredentials(), await machine.asked()];

    const own = await steps('-ClientId PC-7', '-ClientId pc-7', '-ClientId pc-7 -Check', '-Check');
    const withKey = await filesWith(keyOf('feed'));
    const asked = (await machine.asked()).filter((line) => line.includes('bucket'));
    const plain = await steps("-ClientId ''", "-ClientId '' -Check");

    expect([without?.code, without?.said]).toEqual([3, expect.stringContaining('Nothing was changed.')]);
    expect(before).toEqual(['', '', ['choco source list --limit-output']]);
    expect(own.map(({ code }) => code)).toEqual([0, 0, 0, 1]);
    expect(own[1]?.said.match(/^ {2}.*$/gm)).toEqual([
      "  already done: the key is in git's credential helper",
      `  already done: no key for ${urlOf('feed')} is in ${machine.paths.scoopConfig}`,
      `  already done: bucket go-win-tools is ${urlOf('feed')}/git/c/pc-7/go-win-tools.git`,
    ]);
    expect(asked).toEqual([`scoop bucket add go-win-tools ${urlOf('feed')}/git/c/pc-7/go-win-tools.git`]);
    expect(withKey).toEqual(['.git-credentials']);
    expect(plain.map(({ code }) => code)).toEqual([0, 0]);
    expect(await filesWith(keyOf('feed'))).toEqual([]);

    const again = await steps('-ClientId pc-7', '-Remove', '-Remove -Check');
    expect(again.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await filesWith(keyOf('feed'))).toEqual([]);
  });

  it("leaves Scoop's downloads when the server needs it for the machine's own bucket alone any more", async () => {
    await serve('all');
    const env = { GO_WIN_TOOLS_KEY: keyOf('all') };
    await machine.run('-Part scoop -ClientId pc-7', env);
    const both = await filesWith(keyOf('all'));
    // the same server after a change of its setting
    await machine.serve({ publicUrl: urlOf('all'), readAuth: 'feed' });
    const runs = await machine.runAll([
      { command: 'install -Part scoop -ClientId pc-7', env },
      { command: 'install -Part scoop -ClientId pc-7 -Check' },
    ]);

    expect(both).toEqual(['.config/scoop/config.json', '.git-credentials']);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(await filesWith(keyOf('all'))).toEqual(['.git-credentials']);
  });

  it('is stored where each manager looks, in no argument, output, log or environment, and goes with -Remove', async () => {
    await serve('all');
    const key = keyOf('all');
    await writeFile(join(machine.dir, 'key.txt'), `${key}\r\n`);
    const none = await machine.runAll([{ command: 'install ' }]);
    const before = await machine.asked();
    const runs = await machine.runAll(
      ['', '-Beta', '-Beta', '-Beta -Check'].map((parameters) => ({
        command: `install ${parameters} -KeyFile key.txt -LogFile log.txt`,
        env: { GO_WIN_TOOLS_KEY: 'the-one-in-the-file-counts' },
      })),
    );
    const asked = await machine.asked();

    expect([none[0]?.code, before]).toEqual([3, ['choco source list --limit-output']]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(await filesWith(key)).toEqual(['.config/scoop/config.json', '.git-credentials']);
    expect(await readFile(machine.paths.chocoConfig, 'utf8')).toContain([...key].reverse().join(''));
    for (const text of [...runs.map(({ said }) => said), ...asked]) expect(text).not.toMatch(/LEAK/);
    for (const text of [...runs.map(({ said }) => said), ...asked]) expect(text).not.toContain(key);

    const removed = await machine.runAll([
      { command: 'install -Remove' },
      { command: 'install -Remove -Check' },
    ]);
    expect(removed.map(({ code }) => code)).toEqual([0, 0]);
    expect(await filesWith(key)).toEqual([]);
    expect(await filesWith([...key].reverse().join(''))).toEqual([]);
  });

  it('is not reported as stored by git where no helper keeps it, and is found under credential.useHttpPath', async () => {
    await serve('all');
    const env = { GO_WIN_TOOLS_KEY: keyOf('all') };
    await writeFile(join(machine.dir, '.gitconfig'), '');
    const without = await machine.run('-Part scoop', env);
    const left = [await readConfig(), await readCredentials()];
    await writeFile(
      join(machine.dir, '.gitconfig'),
      '[credential]\n\thelper = store\n\tuseHttpPath = true\n',
    );
    const [paths, removal] = await machine.runAll([
      { command: 'install -Part scoop', env },
      { command: 'install -Part scoop -Remove' },
    ]);

    expect(without.code).toBe(1);
    expect(without.said).toContain('git has no credential helper to store the key');
    expect(left).toEqual(['', '']);
    expect([paths?.code, removal?.code]).toEqual([0, 0]);
    expect(await readCredentials()).toBe('');
  });

  it('is removed when the server has another address, or needs none any more', async () => {
    await serve('all');
    const env = { GO_WIN_TOOLS_KEY: keyOf('all') };
    const port = new URL(urlOf('all')).port;
    await machine.run('', env);
    const config = JSON.parse(await readConfig());
    // the same server under another name
    await machine.serve({ publicUrl: urlOf('all').replace('127.0.0.1', 'localhost'), readAuth: 'all' });
    const moved = await machine.run('', env);
    const after = JSON.parse(await readConfig());

    expect(moved.code, moved.said).toBe(0);
    expect(config.private_hosts.map((each: { match: string }) => each.match)).toEqual([
      `^http://127\\.0\\.0\\.1:${port}/dl/`,
    ]);
    expect(after.private_hosts.map((each: { match: string }) => each.match)).toEqual([
      `^http://localhost:${port}/dl/`,
    ]);
    expect(await readCredentials()).toMatch(/^\S+@localhost%3a\d+\n$/);

    await machine.serve({ publicUrl: urlOf('feed'), readAuth: undefined });
    const removal = await machine.run('-Remove');
    expect(removal.code, removal.said).toBe(0);
    expect([JSON.parse(await readConfig()), await readCredentials()]).toEqual([{}, '']);
  });

  it('is not shown where somebody wrote it into the address of the bucket or the source', async () => {
    await serve('all');
    const env = { GO_WIN_TOOLS_KEY: keyOf('all') };
    await machine.run('', env);
    const old = `http://me:p@ss-of-old@localhost:${new URL(urlOf('all')).port}`;
    const bucket = join(machine.dir, 'scoop/buckets/go-win-tools/.git/config');
    for (const file of [bucket, machine.paths.chocoConfig])
      await writeFile(file, (await readFile(file, 'utf8')).replaceAll(urlOf('all'), old));
    const runs = await machine.runAll(
      ['-Check', '', '-Remove'].map((parameters) => ({
        command: `install ${parameters} -LogFile log.txt`,
        env,
      })),
    );
    const log = await readFile(join(machine.dir, 'log.txt'), 'utf8');

    expect(runs.map(({ code }) => code)).toEqual([1, 0, 0]);
    expect(runs[0]?.said).toContain('no key for http://localhost:');
    for (const text of [...runs.map(({ said }) => said), log]) expect(text).not.toContain('ss-of-old');
  });
});
