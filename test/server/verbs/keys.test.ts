import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NewKeyJson } from '../../../server/keys/key-json.ts';
import { createCommand as createBackup } from '../../../server/verbs/backup.ts';
import { createCommand } from '../../../server/verbs/keys.ts';
import { createCommand as createRestore } from '../../../server/verbs/restore.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import { makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe.each(['alone', 'through the running server'])('feed:keys, %s', (way) => {
  let dataDir: string;
  let server: TestServer | undefined;
  beforeEach(async () => {
    dataDir = await makeTempDir();
    if (way !== 'alone') server = await startTestServer({ dataDir });
  });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  const keys = (...args: string[]): Promise<Said> => runVerb(createCommand, dataDir, ...args);
  const listed = async (): Promise<unknown[]> =>
    (await keys('list', '--json')).stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  it('adds a key that works, shown once and alone on stdout', async () => {
    const made = await keys(
      ...['add', '--name', 'ci of buf', '--scope', 'push:beta', '--scope', 'read', '--id', 'buf*', 'dlv'],
    );

    expect(made.error).toBeUndefined();
    expect(made.stdout).toMatch(/^gwt_[\w-]{43}\n$/);
    expect(made.stderr).toContain('ci of buf');
    expect(made.stderr).not.toContain(made.stdout.trim());
    server ??= await startTestServer({ dataDir });
    const key = made.stdout.trim();
    const push = async (id: string, version: string): Promise<number> =>
      (await pushNupkg(server!, makeNupkg({ id, version }), key)).status;
    expect(await push('buf', '1.0.0-beta.1')).toBe(201);
    expect(await push('buf', '1.0.0')).toBe(403);
    expect(await push('delve', '1.0.0-beta.1')).toBe(403);
  });

  it('says in words what is wrong with a name, and what a key is for', async () => {
    const nameless = await keys('add', '--name', ' ', '--scope', 'read');
    const limited = await keys('add', '--name', 'ci', '--scope', 'push', '--id', 'a.*', 'b');

    expect(nameless.error?.message).toBe('This key cannot be created: the name is empty.');
    expect(limited.stderr).toContain('(ci): push for a.*, b. It is not shown again.');
  });

  it('says in its help and in the API what is asked of clients and scopes', () => {
    const invocation = {} as Parameters<typeof createCommand>[0];
    const adding = createCommand(invocation).commands.find((one) => one.name() === 'add');
    const help = adding?.helpInformation().replace(/\s+/g, ' ');

    expect(help).toContain('clients whose addresses (/c/ID) it may read where READ_AUTH is set');
    expect(NewKeyJson.shape.clients.description).toContain('READ_AUTH');
    const described = Object.values(NewKeyJson.shape).map(({ description }) => description ?? '');
    expect([help, ...described].join(' ')).not.toMatch(/nothing asks/i);
  });

  it('lists all keys without their secrets, as a table and for programs', async () => {
    const { stdout: key } = await keys('add', '--name', 'ci', '--scope', 'push');
    await keys('add', '--name', 'ops', '--scope', 'admin');
    await keys('revoke', 'ci');

    const table = (await keys('list')).stdout;

    expect(table).not.toContain(key.trim());
    expect(table.split('\n').map((line) => line.split(/ {2,}/).slice(1, 4))).toEqual([
      ['NAME', 'SCOPES', 'IDS'],
      ['ci', 'push', 'all'],
      ['ops', 'admin', 'all'],
      [],
    ]);
    expect(await listed()).toMatchObject([
      { name: 'ci', scopes: ['push'], ids: [], lastUsed: null, revoked: expect.stringMatching(/Z$/) },
      { name: 'ops', scopes: ['admin'], revoked: null },
    ]);
  });

  it('revokes by id or by name', async () => {
    await keys('add', '--name', 'a', '--scope', 'push');
    await keys('add', '--name', 'b', '--scope', 'push');
    const [first] = (await listed()) as { id: string }[];

    expect((await keys('revoke', first!.id)).error).toBeUndefined();
    expect((await keys('revoke', 'b')).error).toBeUndefined();

    expect(await listed()).toMatchObject([{ revoked: expect.any(String) }, { revoked: expect.any(String) }]);
    expect((await keys('revoke', 'b')).error).toMatchObject({ code: 'KEY_UNKNOWN', exitCode: 1 });
  });

  it('asks which one of several keys of a name', async () => {
    await keys('add', '--name', 'a', '--scope', 'push');
    await keys('add', '--name', 'a', '--scope', 'read');

    const { error } = await keys('revoke', 'a');

    const ids = ((await listed()) as { id: string }[]).map(({ id }) => id);
    expect(error).toMatchObject({ code: 'KEY_AMBIGUOUS' });
    for (const id of ids) expect(error?.message).toContain(id);
  });

  it('adds a key with every limit, which the list shows', async () => {
    const limits = [
      ...['--network', '10.0.0.0/8', '127.0.0.1', '--client', 'pc-*', '--owner', 'Team Ann'],
      ...['--expires', '9d'],
    ];
    const made = await keys('add', '--name', 'ci', '--scope', 'push', 'rollout', '--id', 'buf', ...limits);
    await keys('add', '--name', 'long', '--scope', 'push', '--expires', '2099-01-01T00:00:00Z');

    const { stdout, stderr } = await keys('list');

    expect(made.stderr).toMatch(
      /\(ci\): push, rollout for buf as pc-\* from 10\.0\.0\.0\/8, 127\.0\.0\.1, owned by Team Ann, until \d{4}-.*Z\. It is/,
    );
    expect(stdout).toMatch(
      /ci {2,}push rollout {2,}buf {2,}pc-\* {2,}10\.0\.0\.0\/8 127\.0\.0\.1 {2,}Team Ann .* expires in 8 days\n/,
    );
    expect(stdout).toMatch(/long .* 2099-01-01T00:00:00\.000Z {2}active\n/);
    expect(stderr).toMatch(
      /^Key \w+ \(ci\) expires in 8 days: feed:keys rotate \w+ --expires 90d gives [^\n]*\n$/,
    );
    expect(await listed()).toMatchObject([
      {
        name: 'ci',
        owner: 'Team Ann',
        networks: ['10.0.0.0/8', '127.0.0.1'],
        clients: ['pc-*'],
        state: 'expiring',
      },
      { name: 'long', expires: '2099-01-01T00:00:00.000Z', state: 'active' },
    ]);
  });

  it('rotates by id or name: another secret, everything else unchanged', async () => {
    const { stdout: first } = await keys('add', '--name', 'ci', '--scope', 'push', '--expires', '30d');
    const [before] = (await listed()) as { id: string }[];

    const rotated = await keys('rotate', 'ci');
    const overlapping = await keys('rotate', before!.id, '--overlap', '1h', '--expires', 'never', '--json');

    expect(rotated.stdout).toMatch(/^gwt_[\w-]{43}\n$/);
    expect(rotated.stderr).toContain('(ci) has a new secret, which is not shown again. The old one ended.');
    expect(overlapping.stderr).toContain('The old one ends in 1h.');
    const made = JSON.parse(overlapping.stdout) as { key: string };
    expect(made).toEqual({ id: before!.id, name: 'ci', key: expect.stringMatching(/^gwt_/) });
    expect(await listed()).toEqual([
      { ...before, rotated: expect.any(String), expires: null, state: 'active' },
    ]);
    server ??= await startTestServer({ dataDir });
    const push = async (version: string, key: string): Promise<number> =>
      (await pushNupkg(server!, makeNupkg({ id: 'buf', version }), key.trim())).status;
    expect(await push('1.0.0', first)).toBe(403);
    expect(await push('1.0.0', rotated.stdout)).toBe(201);
    expect(await push('2.0.0', made.key)).toBe(201);
  });

  it('restores keys from a backup with all limits, and ended secrets stay ended', async () => {
    const limits = ['--network', '127.0.0.0/8', '--owner', 'Ann', '--expires', '30d', '--id', 'buf'];
    const { stdout: old } = await keys('add', '--name', 'ci', '--scope', 'push', ...limits);
    const { stdout: key } = await keys('rotate', 'ci');
    const before = await listed();
    const [file, into] = [join(dataDir, 'saved.tar'), join(dataDir, 'restored')];

    const saved = await runVerb(createBackup, dataDir, file);
    const restored = await runVerb(createRestore, dataDir, file, '--into', into);

    expect([saved.error, restored.error]).toEqual([undefined, undefined]);
    const list = await runVerb(createCommand, into, 'list', '--json');
    expect(
      list.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(before);
    const other = await startTestServer({ dataDir: into });
    const codes = [old, key].map(async (secret) => {
      const headers = { 'X-NuGet-ApiKey': secret.trim() };
      const answer = await fetch(`${other.url}/api/v1/key`, { headers });
      return ((await answer.json()) as { code?: string; owner?: string }).code ?? answer.status;
    });
    expect(await Promise.all(codes)).toEqual(['KEY_ROTATED', 200]);
    await other.stop();
  });

  it('prints one JSON object for programs when it adds and revokes', async () => {
    const added = JSON.parse((await keys('add', '--name', 'ci', '--scope', 'push', '--json')).stdout);
    const revoked = JSON.parse((await keys('revoke', 'ci', '--json')).stdout);

    expect(added).toEqual({ id: expect.any(String), name: 'ci', key: expect.stringMatching(/^gwt_/) });
    expect(revoked).toEqual({ id: added.id, name: 'ci', state: 'revoked' });
    expect((await keys('rotate', 'ci')).error).toMatchObject({ code: 'KEY_UNKNOWN', exitCode: 1 });
  });

  it.each([
    [
      'an end in the past',
      ['add', '--name', 'x', '--scope', 'push', '--expires', '2020-01-01T00:00:00Z'],
      'not in the future',
    ],
    ['an end that is no time', ['add', '--name', 'x', '--scope', 'push', '--expires', 'soon'], '90d'],
    [
      'a network that is none',
      ['add', '--name', 'x', '--scope', 'push', '--network', '10.0.0.0/99'],
      '10.0.0.0/8',
    ],
    ['an unknown scope', ['add', '--name', 'x', '--scope', 'everything'], 'Allowed choices'],
    ['no scope', ['add', '--name', 'x'], '--scope'],
    ['no name', ['add', '--scope', 'push'], '--name'],
    ['a name of two lines', ['add', '--name', 'a\nb', '--scope', 'push'], 'one line'],
    ['an odd glob', ['add', '--name', 'a', '--scope', 'push', '--id', 'a b'], 'expected an id'],
  ])('refuses %s and makes no key', async (_what, args, hint) => {
    const { error, stdout } = await keys(...args);

    expect(error?.message).toContain(hint);
    expect(stdout).toBe('');
    expect(await listed()).toEqual([]);
  });
});
