import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canFakeMachine, type InstallMachine, makeInstallMachine } from '../../kit/install/machine.ts';
import { makeKey, startTestServer, type TestServer } from '../../kit/test-server.ts';

const kept = `{
  "last_update": "2026-11-28T09:15:00.1234567+01:00",
  "quoted": "a \\"b\\" \\\\ ~c",
  "~odd": "~",
  "aria2-enabled": false,
  "depth": { "one": { "two": { "three": [1, 2.5, null, "2026-01-01T00:00:00Z"] } } },
  "private_hosts": [{ "match": "^https://other\\\\.example/", "headers": "Authorization=Bearer x" }]
}`;

describe.skipIf(!canFakeMachine)("Scoop's config.json and install.ps1 (needs pwsh)", () => {
  let server: TestServer;
  let machine: InstallMachine;
  let env: Record<string, string>;
  beforeAll(async () => {
    server = await startTestServer({ readAuth: 'all' });
    env = { GO_WIN_TOOLS_KEY: await makeKey(server, ['read']) };
  });
  beforeEach(async () => {
    machine = await makeInstallMachine();
    await machine.serve({ publicUrl: server.url, readAuth: 'all' });
    return machine.remove;
  });
  afterAll(() => server.stop());
  const write = (text: string | Buffer) => writeFile(machine.paths.scoopConfig, text);
  const read = () => readFile(machine.paths.scoopConfig, 'utf8');

  it('keeps everything that is not ours, times as they were written, and is as before after -Remove', async () => {
    await write(kept);
    await machine.run('-Part scoop', env);
    const added = JSON.parse(await read());
    const second = await machine.runAll([{ command: 'install -Part scoop', env }]);
    const text = await read();
    await machine.run('-Part scoop -Remove');

    expect(added.private_hosts).toHaveLength(2);
    expect({ ...added, private_hosts: added.private_hosts.slice(0, 1) }).toEqual(JSON.parse(kept));
    expect(added.private_hosts[1]).toEqual({
      match: `^${server.url.replaceAll('.', '\\.')}/dl/`,
      headers: `X-NuGet-ApiKey=${env.GO_WIN_TOOLS_KEY}`,
    });
    expect(second[0]?.said).toContain('already done: the key is in');
    expect(text).toContain('"2026-11-28T09:15:00.1234567+01:00"');
    expect(JSON.parse(await read())).toEqual(JSON.parse(kept));
  });

  it.each([
    ['broken', '{ "a": '],
    ['an array', '[1, 2]'],
    ['a text', '"x"'],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xe4, 0x22, 0x3a, 0x31, 0x7d])],
  ])('is named and left alone when it is %s, and Chocolatey is set up nevertheless', async (_what, bytes) => {
    await write(bytes);
    const run = await machine.run('', env);

    expect(run.code).toBe(1);
    expect(run.said).toContain(machine.paths.scoopConfig);
    expect(run.said).toContain('is left as it is');
    expect(run.said).toContain('Done: Chocolatey.');
    expect(await readFile(machine.paths.scoopConfig)).toEqual(Buffer.from(bytes as string));
  });

  it('is not quoted when it is broken, because it contains keys', async () => {
    await write('{ "gh_token": "ghp_0123456789", oops }');
    // As Windows PowerShell 5.1 says it, whole text and all.
    const older =
      'function global:ConvertFrom-Json($InputObject) { throw "Invalid object passed in, \':\' expected. (33): $InputObject" }';
    const runs = await machine.runAll([
      { command: 'install -Part scoop -Check -LogFile log.txt' },
      { command: `${older}; install -Part scoop -Check -LogFile log.txt` },
    ]);
    const log = await readFile(join(machine.dir, 'log.txt'), 'utf8');

    expect(runs.map(({ code }) => code)).toEqual([1, 1]);
    expect(runs[0]?.said).toContain('is no JSON that Scoop could read (line 1), and is left as it is.');
    expect(runs[1]?.said).toContain('is no JSON that Scoop could read, and is left as it is.');
    for (const text of [...runs.map(({ said }) => said), log]) expect(text).not.toContain('ghp_');
  });

  it('may be empty, missing, or next to a portable Scoop', async () => {
    await write('');
    const empty = await machine.run('-Part scoop', env);
    await rm(join(machine.dir, '.config'), { recursive: true });
    const none = await machine.run('-Part scoop', env);
    const portable = join(machine.dir, 'tools/scoop');
    await mkdir(portable, { recursive: true });

    expect([empty.code, none.code]).toEqual([0, 0]);
    expect(JSON.parse(await read()).private_hosts).toHaveLength(1);
  });

  it('gets no key where others can read it', async () => {
    const run = await machine.run('', { ...env, FAKE_OPEN: 'config.json.*' });

    expect(run.code).toBe(1);
    expect(run.said).toContain('The key is not written to');
    expect(await read().catch(() => '')).toBe('');
  });
});
