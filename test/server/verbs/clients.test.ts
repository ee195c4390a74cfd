import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommand } from '../../../server/verbs/clients.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import { makeKey, makeTempDir, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { heldUploads } from '../api/held-uploads.ts';

describe.each(['alone', 'through the running server'])('feed:clients, %s', (way) => {
  let dataDir: string;
  let server: TestServer;
  beforeEach(async () => {
    dataDir = await makeTempDir();
    server = await startTestServer({ dataDir });
    const { whole, call } = heldUploads(server, await makeKey(server, ['push', 'rollout'], [], 'ann'));
    await ask('it-1');
    await call('POST', '/rings', server.adminKey, { name: 'canary', globs: ['it-*'] });
    await whole('1.22.0');
    const plan = { steps: [{ ring: 'canary', hold: '1d' }] };
    const [status] = await call('POST', '/rollouts', undefined, { tool: 'delve', version: '1.22.0', plan });
    expect(status).toBe(201);
    await ask('it-1');
    await ask('pc-7');
    if (way === 'alone') await server.stop();
  });
  afterEach(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  async function ask(client: string): Promise<void> {
    const answer = await fetch(`${server.url}/nuget/c/${client}/FindPackagesById()?id='delve'`);
    expect(answer.status).toBe(200);
  }
  const clients = (...args: string[]): Promise<Said> => runVerb(createCommand, dataDir, ...args);
  const today = new Date().toISOString().slice(0, 10);

  it('lists who was seen, and what each is offered', async () => {
    const shown = await clients('list');

    expect(shown.stdout.split('\n')).toEqual([
      'CLIENT  RINGS   FIRST SEEN  LAST SEEN   OFFERED       DOWNLOADED',
      `it-1    canary  ${today}  ${today}  delve 1.22.0`,
      `pc-7            ${today}  ${today}  delve none`,
      '',
    ]);
    const lines = (await clients('list', '--json')).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        id: 'it-1',
        rings: ['canary'],
        offers: [{ tool: 'delve', version: '1.22.0', why: 'rollout', rollout: 1 }],
      },
      { id: 'pc-7', rings: [], offers: [{ tool: 'delve', why: 'everybody' }] },
    ]);
  });

  it('lists those alone that a rollout has given a version', async () => {
    const heads =
      'CLIENT  RINGS   FIRST SEEN  LAST SEEN   OFFERED       DOWNLOADED  ADMITTED                  RECEIVED';
    const given = (await clients('list', '--given', 'delve@1.22')).stdout.split('\n');

    expect([given[0], given.length]).toEqual([heads, 3]);
    expect(given[1]).toMatch(/^it-1 .* delve 1\.22\.0 {14}\d{4}-\S+Z {2}not received$/);
    expect(await clients('list', '--given', 'delve@1.23.0', '--json')).toMatchObject({
      stdout: '',
      stderr: 'No open, superseded or rolled-back rollout has given delve 1.23.0 to a machine.\n',
    });
    expect((await clients('list', '--given', 'delve')).code).toBe(2);
    if (way === 'alone') return;
    // after a rollback they are the machines that it concerns
    await fetch(`${server.url}/nuget/c/it-1/package/delve/1.22.0`).then((answer) => answer.bytes());
    const headers = { Authorization: `Bearer ${server.adminKey}` };
    await fetch(`${server.url}/api/v1/rollouts/1/rollback`, { method: 'POST', headers });
    const shown = (await clients('list', '--given', 'delve@1.22.0')).stdout.split('\n');
    expect(shown).toHaveLength(3);
    expect(shown[1]).toMatch(/^it-1 .* delve none {2}delve 1\.22\.0 {2}\d{4}-\S+Z {2}\d{4}-\S+Z$/);
  });

  it('explains a client, also one that was never seen, and admits none', async () => {
    const [admitted, other, unseen] = [
      (await clients('explain', 'IT-1')).stdout,
      (await clients('explain', 'pc-7', 'delve')).stdout,
      (await clients('explain', 'it-2')).stdout,
    ];

    expect(admitted).toMatch(
      new RegExp(
        `^it-1: seen from ${today} to ${today}, in canary\ndelve 1.22.0: by rollout 1\nrollout 1 of delve 1.22.0, rolling: position \\d+ of 10000, admitted .*, not received\n$`,
      ),
    );
    expect(other).toContain('delve none: what everybody is offered\n');
    expect(other).toContain('not reached by its steps\n');
    expect(unseen).toContain('it-2: never seen, in canary\ndelve none: what everybody is offered\n');
    expect(unseen).toContain('admitted at its next request while the rollout is rolling\n');
    expect((await clients('explain', 'it-2')).stdout).toBe(unseen);
  });

  it('forgets one that is gone, but not one that is in an open rollout', async () => {
    expect((await clients('forget', 'pc-7')).stderr).toBe('The client pc-7 is forgotten.\n');
    const [again, admitted] = [await clients('forget', 'pc-7'), await clients('forget', 'it-1')];

    expect([again.code, again.error?.message]).toEqual([1, expect.stringContaining('No client pc-7')]);
    expect([admitted.code, admitted.error?.message]).toEqual([
      1,
      expect.stringContaining('is in an open rollout'),
    ]);
  });

  it('refuses an invalid id', async () => {
    const said = await clients('explain', '../pc');

    expect([said.code, said.error?.message]).toEqual([2, expect.stringContaining('../pc is no client id')]);
  });
});

describe('feed:clients list --given, after another rollout', () => {
  let dataDir: string;
  let server: TestServer;
  beforeEach(async () => {
    dataDir = await makeTempDir();
    server = await startTestServer({ dataDir });
  });
  afterEach(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  it('shows who keeps a version whose rollout was superseded, until everybody is offered something higher', async () => {
    const { whole, call } = heldUploads(server, await makeKey(server, ['push', 'rollout'], [], 'ann'));
    const given = async () =>
      (await runVerb(createCommand, dataDir, 'list', '--given', 'delve@1.22.0')).stdout;
    const begin = async (version: string, percent: number) => {
      await whole(version);
      const plan = { steps: [{ percent, hold: '1d' }] };
      const [status] = await call('POST', '/rollouts', undefined, { tool: 'delve', version, plan });
      expect(status).toBe(201);
    };
    const ask = () =>
      fetch(`${server.url}/nuget/c/it-1/FindPackagesById()?id='delve'`).then((answer) => answer.text());
    await begin('1.22.0', 100);
    await ask();
    await begin('1.23.0', 0.01);

    expect(await given()).toMatch(/\nit-1 .* delve 1\.22\.0 /);
    const [status] = await call('POST', '/rollouts/2/complete');
    expect(status).toBe(200);
    expect(await given()).not.toContain('it-1');
  });
});
