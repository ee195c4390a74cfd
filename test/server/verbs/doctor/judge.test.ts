import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { judgeManifests } from '../../../../server/verbs/doctor/bucket.ts';
import { type Check, type Finding, ok, type Place } from '../../../../server/verbs/doctor/check.ts';
import { type Clock, judgeClocks } from '../../../../server/verbs/doctor/clock.ts';
import { judgeFile, judgePostgres } from '../../../../server/verbs/doctor/database.ts';
import { judgeDisk } from '../../../../server/verbs/doctor/disk.ts';
import { judgeGit } from '../../../../server/verbs/doctor/git.ts';
import { judgeKeys } from '../../../../server/verbs/doctor/keys.ts';
import { judgeBackup, judgeMetrics } from '../../../../server/verbs/doctor/metrics.ts';
import { judgeStore } from '../../../../server/verbs/doctor/object-store.ts';
import { judgeProxy } from '../../../../server/verbs/doctor/proxy.ts';
import { judgeReplicas } from '../../../../server/verbs/doctor/replicas.ts';
import { runChecks } from '../../../../server/verbs/doctor/run-checks.ts';
import { judgeSettings } from '../../../../server/verbs/doctor/settings.ts';
import { judgeExpiry, judgeTrust } from '../../../../server/verbs/doctor/tls.ts';
import { judgeTrace } from '../../../../server/verbs/doctor/trace.ts';

const now = new Date('2026-11-30T12:00:00Z');
const gibibyte = 1024 ** 3;
const clock = (of: string, aheadMs: number, exactMs = 500): Clock => ({ of, aheadMs, exactMs });
const disk = { dir: '/data', what: 'the data folder', freeBytes: 10 * gibibyte, problem: undefined };
const file = { schema: { found: 24, known: 24 }, bytes: 4096, logBytes: 0, checked: 9, of: 9 };
const postgres = {
  name: 'postgres://db/feed',
  isReadOnly: false,
  schema: { found: 24, least: 20, known: 24 },
  latencyMs: 2,
};
const replica = (version: string, instance: string) => ({ version, instance, from: '10.0.0.1' });
const bucket = {
  version: '2.39.5',
  dir: '/data/bucket/repo.git',
  missing: [],
  hooks: undefined,
  damage: undefined,
};
const step = (name: 'put' | 'get' | 'range' | 'delete', problem?: string) => ({ step: name, problem });
const passed = {
  path: {
    status: 404,
    phrase: '',
    text: 'The bucket has no manifest for doctor/path+plus (expected an address that ends in .json). Check ...',
  },
  upload: { status: 401, phrase: 'This needs an API key: send it', text: '' },
  maxBytes: 4 * gibibyte,
};
const manifests = (...urls: string[]) => new Map(urls.map((url, at) => [`bucket/${at}.json`, [url]]));
const shown = (...days: number[]) =>
  days.map((day, at) => ({
    subject: `subject ${at}`,
    issuer: `subject ${at + 1}`,
    until: new Date(now.getTime() + day * 24 * 3_600_000),
  }));
const endingKey = (id: string, state: 'active' | 'expiring' | 'expired' = 'expiring') => ({
  ...{ id, name: `ci ${id}`, state },
  expires: new Date(now.getTime() + 3.5 * 24 * 3_600_000).toISOString(),
});
const backedUp = (hoursAgo: number) => new Date(now.getTime() - hoursAgo * 3_600_000);

const found: readonly (readonly [state: Finding['state'], says: RegExp, finding: Finding])[] = [
  ['ok', /^valid; without PUBLIC_URL/, judgeSettings({ host: '127.0.0.1' })],
  ['warn', /^PUBLIC_URL is not set/, judgeSettings({ host: '0.0.0.0' })],
  ['warn', /travel where others can read/, judgeSettings({ host: '0.0.0.0', publicUrl: 'http://feed.corp' })],
  ['ok', /^valid/, judgeSettings({ host: '0.0.0.0', publicUrl: 'https://feed.corp' })],
  ['ok', /^valid/, judgeSettings({ host: '127.0.0.1', publicUrl: 'http://localhost:8080' })],
  [
    'warn',
    /works on this machine only$/,
    judgeSettings({ host: '0.0.0.0', publicUrl: 'http://localhost:80' }),
  ],
  ['warn', /works on this machine only$/, judgeSettings({ host: '10.0.0.5', publicUrl: 'https://[::1]' })],
  ['warn', /^PUBLIC_URL is not set/, judgeSettings({ host: '127.0.0.1', trustProxy: ['127.0.0.1'] })],

  ['ok', /^the same here as at A, B$/, judgeClocks([clock('A', 400), clock('B', -5400)])],
  ['warn', /^B is 9 s behind this machine$/, judgeClocks([clock('A', 0), clock('B', -9500)])],
  ['fail', /^A is 120 s ahead of this machine$/, judgeClocks([clock('A', 120_000, 0), clock('B', 9000)])],
  ['warn', /^there was no other clock/, judgeClocks([])],

  ['ok', /^10\.0 GiB are free for the data folder/, judgeDisk(disk)],
  ['warn', /^1\.0 GiB are free/, judgeDisk({ ...disk, freeBytes: gibibyte })],
  ['fail', /is nearly full: 1\.0 KiB are free$/, judgeDisk({ ...disk, freeBytes: 1024 })],
  ['fail', /is full: nothing can be written/, judgeDisk({ ...disk, problem: 'ENOSPC' })],
  ['fail', /^nothing can be written to .*: EROFS$/, judgeDisk({ ...disk, problem: 'EROFS' })],

  ['ok', /^SQLite with 4\.0 KiB is sound, schema 24$/, judgeFile(file)],
  ['ok', /sound as far as 3 of 9 tables/, judgeFile({ ...file, checked: 3 })],
  [
    'fail',
    /has schema 25, and this version knows 24$/,
    judgeFile({ ...file, schema: { found: 25, known: 24 } }),
  ],
  [
    'warn',
    /has schema 23, and this version has 24$/,
    judgeFile({ ...file, schema: { found: 23, known: 24 } }),
  ],
  ['warn', /log of the database has grown to 2\.0 GiB$/, judgeFile({ ...file, logBytes: 2 * gibibyte })],

  ['ok', /^postgres:\/\/db\/feed answers after 2\.0 ms, schema 24$/, judgePostgres(postgres)],
  ['fail', /can only be read: it is a standby/, judgePostgres({ ...postgres, isReadOnly: true })],
  ['fail', /has no tables of go-win-tools$/, judgePostgres({ ...postgres, schema: undefined })],
  ['fail', /has dropped what/, judgePostgres({ ...postgres, schema: { found: 26, least: 25, known: 24 } })],
  ['warn', /has schema 23/, judgePostgres({ ...postgres, schema: { found: 23, least: 20, known: 24 } })],
  ['warn', /takes 50 ms for the smallest answer$/, judgePostgres({ ...postgres, latencyMs: 50 })],

  ['fail', /^no server is connected/, judgeReplicas([], '1.0.0')],
  ['ok', /^1 server is connected/, judgeReplicas([replica('1.0.0', 'a'), replica('1.0.0', 'a')], '1.0.0')],
  [
    'warn',
    /^2 servers are connected, of different/,
    judgeReplicas([replica('1.0.0', 'a'), replica('1.1.0', 'b')], '1.1.0'),
  ],
  ['warn', /and this program is 1\.1\.0$/, judgeReplicas([replica('1.0.0', 'a')], '1.1.0')],

  [
    'ok',
    /^s3:\/\/b\/p: put, get took 3 ms$/,
    judgeStore({ store: 's3://b/p', steps: [step('put'), step('get')], ms: 3 }),
  ],
  [
    'fail',
    /: range failed \(NoRange\)$/,
    judgeStore({ store: 's3://b/p', steps: [step('put'), step('range', 'NoRange'), step('delete')], ms: 3 }),
  ],
  [
    'warn',
    /: delete is refused \(AccessDenied\)/,
    judgeStore({ store: 's3://b/p', steps: [step('put'), step('delete', 'AccessDenied')], ms: 3 }),
  ],

  ['ok', /^git 2\.39\.5/, judgeGit(bucket)],
  ['warn', /^git 2\.25\.1 is older than 2\.28$/, judgeGit({ ...bucket, version: '2.25.1' })],
  ['fail', /^the bucket has no branch beta/, judgeGit({ ...bucket, missing: ['beta'] })],
  [
    'fail',
    /^pushes to the bucket are refused: the hook/,
    judgeGit({ ...bucket, hooks: 'the hook cannot run' }),
  ],
  ['fail', /^the bucket is damaged: missing blob/, judgeGit({ ...bucket, damage: 'missing blob 1234' })],

  ['ok', /^encoded addresses and uploads of 4\.0 GiB are passed on$/, judgeProxy(passed)],
  [
    'ok',
    /reason phrases are not/,
    judgeProxy({ ...passed, upload: { ...passed.upload, phrase: 'Unauthorized' } }),
  ],
  ['fail', /%2F and %2B does not arrive .*\(no answer\)$/, judgeProxy({ ...passed, path: undefined })],
  [
    'fail',
    /\(status 400\)$/,
    judgeProxy({ ...passed, path: { status: 400, phrase: '', text: '<h1>Bad Request' } }),
  ],
  [
    'fail',
    /uploads of 4\.0 GiB .* are refused before/,
    judgeProxy({ ...passed, upload: { status: 413, phrase: '', text: '' } }),
  ],
  [
    'fail',
    /^PUT does not reach the server: status 405/,
    judgeProxy({ ...passed, upload: { status: 405, phrase: '', text: '' } }),
  ],
  ['warn', /does not come before its end/, judgeProxy({ ...passed, upload: undefined })],

  [
    'ok',
    /2 manifests on main lead to https:\/\/feed$/,
    judgeManifests('https://feed', manifests('https://feed/dl/a', 'https://feed/dl/b')),
  ],
  [
    'fail',
    /^1 of 2 .*: bucket\/1\.json to https:\/\/old$/,
    judgeManifests('https://feed', manifests('https://feed/dl/a', 'https://old/dl/b')),
  ],
  ['fail', /^1 of 1 /, judgeManifests('https://feed', manifests('https://feed.example/dl/a'))],

  ['ok', /in 22 days$/, judgeExpiry({ chain: shown(22, 300) }, now)],
  [
    'warn',
    /^the certificate expires on 2026-12-20, in 20 days$/,
    judgeExpiry({ chain: shown(20, 300) }, now),
  ],
  ['warn', /^the certificate of the issuer subject 1 expires/, judgeExpiry({ chain: shown(60, 3) }, now)],
  ['fail', /^the certificate expired on 2026-11-29$/, judgeExpiry({ chain: shown(-1) }, now)],
  [
    'fail',
    /is signed by itself/,
    judgeTrust('feed', { problem: 'DEPTH_ZERO_SELF_SIGNED_CERT', chain: shown(9) }),
  ],
  [
    'fail',
    /is not believed: CERT_REVOKED$/,
    judgeTrust('feed', { problem: 'CERT_REVOKED', chain: shown(9) }),
  ],

  ['ok', /^all 2 that are promised/, judgeMetrics('# TYPE a gauge\na 1\n# TYPE b gauge\n', ['a', 'b'])],
  ['fail', /^1 of 2 are not in \/metrics: ab$/, judgeMetrics('# TYPE a gauge\na 1\n', ['a', 'ab'])],
  ['ok', /^the last backup is less than a day old$/, judgeBackup(backedUp(2), now)],
  ['ok', /^the last backup is 7 days old$/, judgeBackup(backedUp(7 * 24), now)],
  ['warn', /^the last backup is 7 days old$/, judgeBackup(backedUp(7 * 24 + 1), now)],
  ['warn', /^the last backup is dated in the future, 2026-/, judgeBackup(backedUp(-1), now)],
  ['warn', /^there was no backup yet$/, judgeBackup(undefined, now)],

  ['ok', /^none expires within 14 days$/, judgeKeys([endingKey('a', 'active')], now)],
  [
    'warn',
    /^keys expire within 14 days: a \(ci a\) in 3 days$/,
    judgeKeys([endingKey('a'), endingKey('b', 'expired')], now),
  ],
  [
    'warn',
    / e \(ci e\) in 3 days, and 2 more$/,
    judgeKeys(
      [...'abcdefg'].map((id) => endingKey(id)),
      now,
    ),
  ],

  ['ok', /with the collector after 1\.2 s$/, judgeTrace({ outcome: 'exported' }, 1234, false)],
  ['skip', /^the server traces nothing$/, judgeTrace({ outcome: 'off' }, 1, false)],
  ['fail', /is set here, and the server traces nothing$/, judgeTrace({ outcome: 'off' }, 1, true)],
  ['fail', /: it answers 401$/, judgeTrace({ outcome: 'failed', problem: 'it answers 401' }, 1, false)],
  ['fail', /: it is waiting after 20 s$/, judgeTrace({ outcome: 'waiting' }, 20_000, false)],
];

describe('what feed:doctor decides', () => {
  it.each(found)('%s: %s', (state, says, finding) => {
    expect(finding).toMatchObject({ state, says: expect.stringMatching(says) });
    // Whoever is warned is told what to do.
    if (state === 'warn' || state === 'fail') expect(finding.todo).toMatch(/\w{3}/);
  });
});

describe('the run of checks', () => {
  const place = { now: () => now } as unknown as Omit<Place, 'signal'>;

  async function run(checks: readonly Check[], signal = new AbortController().signal) {
    const results = [];
    for await (const result of runChecks(checks, place, signal)) results.push(result);
    return results;
  }

  it('gives up a check that hangs, tells it so, and goes on', async () => {
    let isTold = false;
    const results = await run([
      {
        name: 'hangs',
        limitMs: 20,
        look: ({ signal }) =>
          new Promise(() => signal.addEventListener('abort', () => (isTold = true), { once: true })),
      },
      { name: 'next', look: async () => ok('goes on') },
    ]);

    expect(results).toMatchObject([
      { check: 'hangs', state: 'fail', says: 'no answer within 0.02 s' },
      { check: 'next', state: 'ok', says: 'goes on' },
    ]);
    expect(isTold).toBe(true);
  });

  it('takes what is thrown for a fault, skips what needs it, and shows no password', async () => {
    const results = await run([
      {
        name: 'first',
        look: () => Promise.reject(new Error('no way to https://user:secret@host/x\nat all')),
      },
      { name: 'second', needs: ['first'], look: async () => ok('never') },
      { name: 'third', needs: ['second'], look: async () => ok('never') },
    ]);

    expect(results).toMatchObject([
      { check: 'first', state: 'fail', says: 'no way to https://host/x' },
      { check: 'second', state: 'skip', says: 'not checked, since first failed' },
      { check: 'third', state: 'skip', says: 'not checked, since second failed' },
    ]);
  });

  it('ends when it is interrupted', async () => {
    const interruption = new AbortController();
    const look = async (): Promise<Finding> => {
      interruption.abort();
      await delay(10_000, undefined, { ref: false });
      return ok('late');
    };
    const results = await run(
      [
        { name: 'first', look },
        { name: 'second', look },
      ],
      interruption.signal,
    );

    expect(results).toEqual([{ check: 'first', state: 'skip', says: 'interrupted' }]);
  });
});
