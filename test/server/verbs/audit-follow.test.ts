import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashOf, noHash } from '../../../server/audit/chain.ts';
import { fromEntryJson } from '../../../server/audit/entry-json.ts';
import { createCommand } from '../../../server/verbs/audit.ts';
import { createGitClient } from '../../kit/git.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import {
  adminKey,
  makeKey,
  makeTempDir,
  productDir,
  pushNupkg,
  startTestServer,
  type TestServer,
} from '../../kit/test-server.ts';

type Line = Record<string, unknown> & { log: 'audit' | 'refusals'; number: number };

let root: string;
let dataDir: string;
let server: TestServer;
beforeEach(async () => {
  root = await makeTempDir();
  dataDir = join(root, 'data');
  server = await startTestServer({ dataDir });
});
afterEach(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});

const audit = (...args: string[]): Promise<Said> => runVerb(createCommand, dataDir, ...args);
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
const once = async (...args: string[]): Promise<Line[]> =>
  linesOf((await audit('follow', '--once', ...args)).stdout);
const numbers = (lines: readonly Line[]) =>
  lines.map(({ log, number }) => (log === 'audit' ? `audit ${number}` : log));
const push = async (key: string, version: string, id = 'tool') =>
  (await pushNupkg(server, makeNupkg({ id, version }), key)).status;

/** The verb as main.ts runs it, until it is interrupted. */
function startFollow(...args: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const interrupt = new AbortController();
  let said = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  stderr.resume();
  const command = createCommand({
    ...{ env: { DATA_DIR: dataDir }, stdout, stderr, productDir, cwd: root, version: '0.0.0-test' },
    signal: interrupt.signal,
  });
  const ended = command.parseAsync(['follow', ...args], { from: 'user' }).catch((error: unknown) => error);
  return {
    lines: () => linesOf(said.slice(0, said.lastIndexOf('\n') + 1)),
    async interrupt() {
      interrupt.abort();
      return ended;
    },
  };
}

describe('feed:audit follow', () => {
  it('writes entries and refusals, goes on over a restart of the server, and ends by Ctrl-C', async () => {
    const key = await makeKey(server, ['push']);
    expect(await push(key, '1.0.0')).toBe(201);
    const followed = startFollow();
    await expect.poll(() => numbers(followed.lines()), { timeout: 10_000 }).toEqual(['audit 1', 'audit 2']);
    await server.stop();
    server = await startTestServer({ dataDir });

    expect(await push(key, '2.0.0')).toBe(201);
    expect(await push('a-wrong-key', '3.0.0')).toBe(403);
    await server.services.refusals.flush();

    await expect
      .poll(() => numbers(followed.lines()), { timeout: 10_000 })
      .toEqual(['audit 1', 'audit 2', 'audit 3', 'refusals']);
    expect(await followed.interrupt()).toMatchObject({ code: 'INTERRUPTED', exitCode: 130 });
    expect(followed.lines()[2]).toEqual({
      log: 'audit',
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      number: 3,
      kind: 'package published',
      subject: 'tool',
      version: '2.0.0',
      by: 'push',
      keyId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      from: '127.0.0.1',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      previous: followed.lines()[1]?.hash,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(JSON.stringify(followed.lines())).not.toContain('a-wrong-key');
  });

  it('knows of each way to be refused, by the key where the whole secret was sent', async () => {
    const limited = await makeKey(server, ['push'], ['other*']);
    const reader = await makeKey(server, ['read']);
    const revoked = await makeKey(server, ['push:beta']);
    const list = await server.services.keys.list();
    const idOf = (name: string) => list.find((key) => key.name === name)?.keyId ?? '';
    await server.services.keys.revoke(idOf('push:beta'), { keyId: 'k', keyName: 'n', from: 'here' });
    const basic = { authorization: `Basic ${Buffer.from('me:wrong').toString('base64')}` };
    const git = await createGitClient(root, await makeKey(server, ['push']));
    const clone = await git.clone(`${server.url}/git/beta/go-win-tools.git`, 'clone');

    expect(await push(limited, '1.0.0')).toBe(403);
    expect(await push(reader, '1.0.0')).toBe(403);
    expect(await push(revoked, '1.0.0')).toBe(403);
    expect(await push('unknown', '1.0.0')).toBe(403);
    expect((await fetch(`${server.url}/api/v1/keys`, { headers: basic })).status).toBe(401);
    // No credentials at all is how every client begins, and a version that exists is no breach of a rule.
    expect((await fetch(`${server.url}/api/v1/keys`)).status).toBe(401);
    await git.commit(clone, 'no release', { 'evil.ps1': 'x' });
    expect((await git.try(clone, 'push', 'origin', 'HEAD:beta')).code).not.toBe(0);
    await server.services.refusals.flush();

    const found = (await once()).filter(({ log }) => log === 'refusals');
    expect(found).toHaveLength(6);
    expect(found).toEqual(
      expect.arrayContaining(
        [
          { code: 'KEY_IDS', by: 'push', route: 'feed' },
          { code: 'KEY_SCOPE', by: 'read', keyId: idOf('read') },
          { code: 'KEY_REVOKED', by: 'push:beta', keyId: idOf('push:beta') },
          { code: 'KEY_INVALID', route: 'feed', from: '127.0.0.1', count: 1 },
          { code: 'PASSWORD_INVALID', route: 'api' },
          { code: 'PUSH_REFUSED', by: 'push', route: 'git' },
        ].map((one) => expect.objectContaining({ ...one, kind: 'refused' }) as object),
      ),
    );
    expect(found.find(({ code }) => code === 'KEY_INVALID')).not.toHaveProperty('keyId');
    const answer = await fetch(`${server.url}/api/v1/refusals?after=${found[3]?.number}`, {
      headers: { 'X-NuGet-ApiKey': adminKey },
    });
    expect(await answer.json()).toMatchObject({
      refusals: found.slice(4).map(({ number }) => ({ number })),
      next: null,
    });
    expect(
      (await fetch(`${server.url}/api/v1/refusals`, { headers: { 'X-NuGet-ApiKey': limited } })).status,
    ).toBe(403);
  });

  it('goes on after a state or a number, with and without a server', async () => {
    const state = join(root, 'state.json');
    const key = await makeKey(server, ['push']);
    await push(key, '1.0.0');
    expect(numbers(await once('--state', state))).toEqual(['audit 1', 'audit 2']);
    expect(await once('--state', state)).toEqual([]);
    await push(key, '2.0.0');
    await push('unknown', '3.0.0');
    await server.stop();

    const more = await once('--state', state);
    expect(numbers(more)).toEqual(['audit 3', 'refusals']);
    expect(await once('--state', state)).toEqual([]);
    expect(numbers(await once('--after', '2', '--after-refusal', `${more[1]?.number}`))).toEqual(['audit 3']);
    expect(await once('--since', '2100-01-01')).toEqual([]);
    await writeFile(state, '{}');
    expect(await audit('follow', '--once', '--state', state)).toMatchObject({
      error: { code: 'FOLLOW_STATE' },
      stdout: '',
    });
  });

  it('says when the log is not the one that it has read', async () => {
    const state = join(root, 'state.json');
    const key = await makeKey(server, ['push']);
    await push(key, '1.0.0');
    await once('--state', state);
    await server.stop();

    rewrite((entries) => entries.map((entry) => ({ ...entry, subject: 'other' })));
    expect((await audit('follow', '--once', '--state', state)).error).toMatchObject({ code: 'FOLLOW_LOST' });
    rewrite((entries) => entries.slice(0, 1));
    expect((await audit('follow', '--once', '--state', state)).error?.message).toContain(
      'not there any more',
    );
  });
});

describe('anchors', () => {
  const file = () => join(root, 'anchors.jsonl');

  it('prove that the log still contains what it was, whatever came since', async () => {
    const key = await makeKey(server, ['push']);
    const made = await audit('anchor', '--to', file());
    await push(key, '1.0.0');
    await audit('anchor', '--to', file());

    expect(await readFile(file(), 'utf8')).toMatch(
      new RegExp(`^${made.stdout.trim().replace(/[.*+?^$()[\]{}|]/g, '\\$&')}\n.+\n$`),
    );
    const said = await audit('verify', '--anchors', file());
    expect(said.error).toBeUndefined();
    expect(said.stdout).toContain('all anchors of the file: 2');
    await server.stop();
    expect((await audit('verify', '--anchors', file())).error).toBeUndefined();
  });

  it('show a log that was written anew with a whole chain, and one that was cut off', async () => {
    const key = await makeKey(server, ['push']);
    await push(key, '1.0.0');
    await audit('anchor', '--to', file());
    await push(key, '2.0.0');
    await audit('anchor', '--to', file());
    await server.stop();
    const original = read();

    rewrite((entries) => entries.map((entry, at) => (at === 2 ? { ...entry, by: 'somebody else' } : entry)));
    expect((await audit('verify')).error).toBeUndefined();
    expect((await audit('verify', '--anchors', file())).error).toMatchObject({
      code: 'ANCHOR_BROKEN',
      message: expect.stringMatching(/\(entry 3\): that entry, or one before it, was rewritten/) as string,
    });

    rewrite(() => original.slice(0, 2));
    expect((await audit('verify')).error).toBeUndefined();
    expect((await audit('verify', '--anchors', file())).error?.message).toMatch(
      /\(entry 3\): entries were cut off/,
    );

    rewrite(() => original.map((entry, at) => (at === 0 ? { ...entry, detail: 'x' } : entry)));
    expect((await audit('verify', '--anchors', file())).error?.message).toMatch(/\(entry 2\): that entry/);
  });

  it('of another feed, and files that are none, are told apart', async () => {
    await makeKey(server, ['push']);
    const other = {
      time: '2026-01-01T00:00:00Z',
      feed: 'https://other',
      first: '1'.repeat(64),
      number: 1,
      head: '1'.repeat(64),
    };
    await writeFile(file(), `${JSON.stringify(other)}\n`);
    expect((await audit('verify', '--anchors', file())).error?.message).toContain('another feed');
    await writeFile(file(), 'hello');
    expect((await audit('verify', '--anchors', file())).error).toMatchObject({ code: 'ANCHORS_INVALID' });
    await audit('anchor', '--to', file());
    expect((await readFile(file(), 'utf8')).split('\n')).toHaveLength(3);
    expect((await audit('verify', '--anchors', join(root, 'nope'))).error).toMatchObject({
      code: 'FILE_UNUSABLE',
    });
  });
});

type Row = Record<'kind' | 'subject' | 'detail' | 'by' | 'keyId' | 'from', string | null> & { at: number };

function open(): Database.Database {
  return new Database(join(dataDir, 'catalog.db'));
}

function read(): Row[] {
  const db = open();
  const rows = db
    .prepare(
      'SELECT at, kind, subject, version, file, digest, detail, key_id AS keyId, key_name AS "by", from_address AS "from" FROM audit ORDER BY number',
    )
    .all() as Row[];
  db.close();
  return rows;
}

/** As somebody does who has the file: without the triggers, and with a chain that is whole again. */
function rewrite(change: (rows: Row[]) => Row[]): void {
  const rows = change(read());
  const db = open();
  for (const { name } of db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit'")
    .all() as { name: string }[])
    db.exec(`DROP TRIGGER ${name}`);
  db.exec('DELETE FROM audit');
  let previous = noHash;
  for (const [at, row] of rows.entries()) {
    const { by, keyId, from, at: time, ...change } = row;
    const set = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null));
    const json = {
      number: at + 1,
      at: new Date(time).toISOString(),
      ...set,
      keyId,
      keyName: by,
      from,
      previous,
      hash: '',
    };
    const entry = fromEntryJson(json as unknown as Parameters<typeof fromEntryJson>[0]);
    const hash = hashOf(entry);
    const { kind, subject, version, file, digest, detail } = change as unknown as Record<
      string,
      string | null
    >;
    db.prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      ...[at + 1, time, kind, subject, version, file, digest, detail, keyId, by, from, previous, hash],
    );
    previous = hash;
  }
  db.close();
}
