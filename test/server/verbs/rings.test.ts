import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommand as createAudit } from '../../../server/verbs/audit.ts';
import { createCommand } from '../../../server/verbs/rings.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import { makeTempDir, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe.each(['alone', 'through the running server'])('feed:rings, %s', (way) => {
  let dataDir: string;
  let server: TestServer;
  beforeEach(async () => {
    dataDir = await makeTempDir();
    server = await startTestServer({ dataDir });
    if (way === 'alone') await server.stop();
  });
  afterEach(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  const rings = (...args: string[]): Promise<Said> => runVerb(createCommand, dataDir, ...args);

  it('sets, lists and removes rings', async () => {
    const set = await rings('set', 'canary', 'PC-0001', 'it-*');
    await rings('set', 'early', 'build-?');

    expect([set.error, set.stderr]).toEqual([undefined, 'The ring canary has the clients pc-0001, it-*.\n']);
    expect((await rings('list')).stdout).toBe('NAME    CLIENTS\ncanary  pc-0001 it-*\nearly   build-?\n');
    expect((await rings('remove', 'canary')).stderr).toBe('The ring canary is removed.\n');
    expect((await rings('list', '--json')).stdout).toBe('{"name":"early","globs":["build-?"]}\n');
    const log = await runVerb(createAudit, dataDir, 'list', '--id', 'canary', '--json');
    expect(log.stdout.trim().split('\n')).toEqual([
      expect.stringContaining('"kind":"ring set","subject":"canary","detail":"pc-0001 it-*"'),
      expect.stringContaining('"kind":"ring removed","subject":"canary"'),
    ]);
  });

  it.each([
    ['a name in capitals', ['set', 'Canary', 'pc-1'], 2, 'expected a name of small letters'],
    ['an odd client id', ['set', 'canary', 'pc 1'], 2, 'expected client ids of letters'],
    ['no clients', ['set', 'canary'], 2, 'missing required argument'],
    ['the end of an unknown ring', ['remove', 'nobody'], 1, 'No ring is named nobody'],
  ])('refuses %s', async (_what, args, code, hint) => {
    const said = await rings(...args);

    expect([said.code, said.stdout]).toEqual([code, '']);
    expect(said.error?.message).toContain(hint);
    expect((await rings('list', '--json')).stdout).toBe('');
  });
});
