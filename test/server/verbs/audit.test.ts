import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../server/database/connection.ts';
import { createCommand } from '../../../server/verbs/audit.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb, runVerbWith, type Said } from '../../kit/operator-fixture.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe.each(['alone', 'through the running server'])('feed:audit, %s', (way) => {
  let dataDir: string;
  let server: TestServer;
  beforeEach(async () => {
    dataDir = await makeTempDir();
    server = await startTestServer({ dataDir });
    const key = await makeKey(server, ['push']);
    for (const version of ['1.0.0', '2.0.0'])
      await pushNupkg(server, makeNupkg({ id: 'Tool', version }), key);
    for (const client of ['choco/1', 'choco/1', 'nuget/6']) {
      const answer = await fetch(`${server.url}/nuget/package/tool/1.0`, {
        headers: { 'User-Agent': client },
      });
      await answer.arrayBuffer();
    }
    if (way === 'alone') await server.stop();
  });
  afterEach(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  const audit = (...args: string[]): Promise<Said> => runVerb(createCommand, dataDir, ...args);
  const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

  it('reports half a head as a wrong argument, not as an audit log that was cut off', async () => {
    const { error, stderr, code } = await audit('verify', '--head', 'abc123');

    expect(code).toBe(2);
    expect(`${error?.message}${stderr}`).toContain('Expected the 64 digits of a head');
    expect(`${error?.message}${stderr}`).not.toContain('broken');
  });

  it('lists every change, for people and for programs', async () => {
    const all = linesOf((await audit()).stdout);
    const ofTool = linesOf((await audit('list', '--id', 'tool', '--json')).stdout).map((line) =>
      JSON.parse(line),
    );
    const later = await audit('list', '--since', '2100-01-01');

    expect(all).toHaveLength(3);
    expect(all[1]).toMatch(
      /^2 {2}\S+Z {2}package published: Tool 1\.0\.0 {2}by push \([0-9a-f]{16}\) from 127\.0\.0\.1 {2}[0-9a-f]{64}$/,
    );
    expect(ofTool).toMatchObject([
      { number: 2, version: '1.0.0' },
      { number: 3, version: '2.0.0' },
    ]);
    expect(later).toMatchObject({ stdout: '', error: undefined });
    expect((await audit('list', '--since', 'never')).error?.message).toContain('Expected a date');
  });

  it('verifies the chain and prints a head that proves later that nothing was cut off', async () => {
    const { stdout, error } = await audit('verify');
    const [head = ''] = /[0-9a-f]{64}/.exec(stdout) ?? [];

    expect(error).toBeUndefined();
    expect(stdout).toContain('3 entries');
    const again = await audit('verify', '--head', head.toUpperCase());
    expect(again.error).toBeUndefined();
    expect(again.stdout).toContain(`It contains the head that was noted, of entry 3: ${head}\n`);
    const [first = ''] = linesOf((await audit('list', '--json')).stdout);
    const { hash } = JSON.parse(first) as { hash: string };
    expect((await audit('verify', '--head', hash)).stdout).toContain(`, of entry 1: ${hash}\n`);
    expect(stdout).not.toContain('noted');
    expect((await audit('verify', '--head', 'f'.repeat(64))).error).toMatchObject({
      code: 'AUDIT_BROKEN',
      exitCode: 1,
    });
  });

  it('anchors the address of the server that runs, or else PUBLIC_URL', async () => {
    const anchors = join(dataDir, 'anchors.jsonl');
    const { stdout } = await runVerbWith({ PORT: '8123' }, createCommand, dataDir, 'anchor', '--to', anchors);
    const isAlone = way === 'alone';
    const env = { PUBLIC_URL: 'https://feed.example' };
    const other = await runVerbWith(env, createCommand, dataDir, 'anchor', '--to', anchors);

    expect(JSON.parse(stdout).feed).toBe(isAlone ? 'http://127.0.0.1:8123' : server.publicUrl);
    expect(JSON.parse(other.stdout).feed).toBe(isAlone ? 'https://feed.example' : server.publicUrl);
    expect((await audit('verify', '--anchors', anchors)).stdout).toContain('all anchors of the file: 2');
  });

  it('names the first broken link', async () => {
    const db = openDatabase(join(dataDir, 'catalog.db'));
    db.exec("DROP TRIGGER audit_no_update; UPDATE audit SET from_address = 'elsewhere' WHERE number = 2");
    db.close();

    const { error } = await audit('verify');

    expect(error).toMatchObject({ exitCode: 1 });
    expect(error?.message).toMatch(
      /^The audit log is broken at entry 2 of 20\S+Z: its content does not match/,
    );
  });

  it('answers who has a version', async () => {
    const table = linesOf((await audit('downloads', 'TOOL@1.0')).stdout).map((line) => line.split(/ {2,}/));
    const json = linesOf((await audit('downloads', 'tool', '--json')).stdout).map((line) => JSON.parse(line));
    const nobody = (await audit('downloads', 'tool@2.0.0')).stdout;

    expect(table.map((cells) => cells.slice(0, 7))).toEqual(
      expect.arrayContaining([
        ['ID', 'VERSION', 'FILE', 'KEY', 'FROM', 'CLIENT', 'COUNT'],
        ['Tool', '1.0.0', '-', '-', '127.0.0.1', 'choco/1', '2'],
        ['Tool', '1.0.0', '-', '-', '127.0.0.1', 'nuget/6', '1'],
      ]),
    );
    expect(json).toHaveLength(2);
    expect(json.find(({ client }) => client === 'choco/1')).toMatchObject({
      id: 'Tool',
      version: '1.0.0',
      count: 2,
    });
    expect(nobody).toContain('Nobody has downloaded tool@2.0.0');
  });
});
