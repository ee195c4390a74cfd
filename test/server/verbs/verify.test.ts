import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { createCommand as createPurge } from '../../../server/verbs/purge.ts';
import { createCommand } from '../../../server/verbs/verify.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb } from '../../kit/operator-fixture.ts';
import { blobFile, makeStockedDir } from '../../kit/stocked-feed.ts';
import { makeTempDir, startTestServer } from '../../kit/test-server.ts';

let root: string;
let stocked: string;
let dataDir: string;
let count = 0;

beforeAll(async () => {
  root = await makeTempDir();
  stocked = await makeStockedDir(root);
});
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
beforeEach(async () => {
  dataDir = join(root, `case-${++count}`);
  await cp(stocked, dataDir, { recursive: true });
});

type Report = {
  packages: number;
  payloads: number;
  faults: { kind: string; subject: string; problem: string }[];
  orphans: { removed: { sha256: string }[]; kept: { sha256: string }[]; because?: string };
};
async function verify(...args: string[]): Promise<{ report: Report; code: number }> {
  const { stdout, error } = await runVerb(createCommand, dataDir, '--json', ...args);
  if (stdout === '') throw error;
  return { report: JSON.parse(stdout) as Report, code: error === undefined ? 0 : 1 };
}

const sample = digestBytes(makeNupkg({ id: 'Sample', version: '1.0.0' })).sha256;

function edit(sql: string): void {
  const db = new Database(join(dataDir, 'catalog.db'));
  db.exec(sql);
  db.close();
}

async function makeOrphan(text: string, ageHours: number): Promise<string> {
  const { sha256 } = digestBytes(Buffer.from(text));
  const file = blobFile(dataDir, sha256);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
  const then = new Date(Date.now() - ageHours * 3_600_000);
  await utimes(file, then, then);
  return sha256;
}

describe('feed:verify', () => {
  it('finds nothing in a sound folder, alone and beside its server', async () => {
    expect(await verify()).toEqual({
      code: 0,
      report: { packages: 5, payloads: 1, faults: [], orphans: { removed: [], kept: [] } },
    });
    const server = await startTestServer({ dataDir });
    const beside = await verify();
    await server.stop();

    expect(beside.code).toBe(0);
  });

  it('does not miss what was purged, but another version on the branch', async () => {
    const purged = await runVerb(createPurge, dataDir, 'buf@1.32.0', '--force', '--reason', 'a law');
    const { report, code } = await verify();
    const { stderr } = await runVerb(createCommand, dataDir);

    expect([purged.code, code]).toEqual([0, 1]);
    expect(report.faults.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'purged main buf',
      'purged beta buf',
    ]);
    expect(stderr).toContain('it does not come back');
    expect(stderr).not.toContain('PUT');
  });

  it.each<[string, () => Promise<void>, string]>([
    [
      'a flipped byte',
      async () => {
        const bytes = await readFile(blobFile(dataDir, sample));
        bytes[40]! ^= 1;
        await writeFile(blobFile(dataDir, sample), bytes);
      },
      'its SHA-256 is',
    ],
    ['a truncated file', () => truncate(blobFile(dataDir, sample), 7), 'it has 7 bytes instead of'],
    ['a missing file', () => rm(blobFile(dataDir, sample)), 'its bytes are missing'],
    [
      'a SHA-512 that is another',
      async () => edit(`UPDATE packages SET sha512 = '${'a'.repeat(128)}' WHERE sha256 = '${sample}'`),
      'its SHA-512 is',
    ],
  ])('names the package that %s damages, and only that', async (_name, spoil, problem) => {
    await spoil();

    const { report, code } = await verify();

    expect(code).toBe(1);
    expect(report.faults).toEqual([
      { kind: 'bytes', subject: 'Sample 1.0.0', problem: expect.stringContaining(problem) },
    ]);
  });

  it('says what to do about each fault', async () => {
    await rm(blobFile(dataDir, sample));

    const { stdout, stderr, error } = await runVerb(createCommand, dataDir);

    expect(stdout).toContain('looked at: 1 fault.');
    expect(stderr).toMatch(/^Sample 1\.0\.0: its bytes are missing .*\n {2}put the file back from a backup/);
    expect(error).toMatchObject({ exitCode: 1 });
  });

  it('names ids whose latest flags are wrong', async () => {
    edit("UPDATE packages SET latest_semver2 = 1 WHERE version = '1.0.0'");

    const { report } = await verify();

    expect(report.faults).toMatchObject([{ kind: 'latest flags', subject: 'sample' }]);
  });

  it('finds rows whose bytes are missing', async () => {
    edit("PRAGMA foreign_keys = OFF; DELETE FROM ids WHERE id_key = 'sample'");

    const { report, code } = await verify();

    expect(code).toBe(1);
    expect(report.faults[0]).toMatchObject({ kind: 'database' });
  });

  it('names the manifests whose payload is missing', async () => {
    edit('DELETE FROM payloads');

    const { report } = await verify();

    expect(report.faults.map(({ kind, subject }) => `${kind}: ${subject}`)).toEqual([
      'manifest: main buf',
      'manifest: beta buf',
    ]);
    expect(report.orphans.kept).toHaveLength(1);
  });

  it('finds a damaged object of the bucket', async () => {
    const objects = join(dataDir, 'bucket', 'repo.git', 'objects');
    const files = (await readdir(objects, { recursive: true })).filter((name) =>
      /^[0-9a-f]{2}[\\/][0-9a-f]{38}$/.test(name),
    );
    const file = join(objects, files.sort()[0]!);
    await rm(file);
    await writeFile(file, 'rot');

    const { report, code } = await verify();

    expect(code).toBe(1);
    expect(report.faults).toMatchObject([{ kind: 'bucket', subject: 'repo.git' }]);
  });

  it('reports a missing bucket', async () => {
    await rm(join(dataDir, 'bucket'), { recursive: true });

    expect((await verify()).report.faults).toMatchObject([{ kind: 'bucket' }]);
  });

  it('removes what nothing has named for a day, and keeps newer blobs', async () => {
    const old = await makeOrphan('old', 25);
    const young = await makeOrphan('young', 23);

    const listed = await verify('--keep-orphans');
    const { report, code } = await verify();

    expect(code).toBe(0);
    expect(listed.report.orphans.kept.map(({ sha256 }) => sha256).sort()).toEqual([old, young].sort());
    expect(report.orphans.removed).toMatchObject([{ sha256: old }]);
    expect(report.orphans.kept).toMatchObject([{ sha256: young }]);
    expect([old, young].map((sha256) => existsSync(blobFile(dataDir, sha256)))).toEqual([false, true]);
    expect(existsSync(blobFile(dataDir, sample))).toBe(true);
  });

  it('removes nothing beside a server, whose push may be about to name those bytes', async () => {
    const old = await makeOrphan('old', 25);
    const server = await startTestServer({ dataDir });

    const { report, code } = await verify();
    await server.stop();

    expect(code).toBe(0);
    expect(report.orphans).toMatchObject({ removed: [], kept: [{ sha256: old }] });
    expect(report.orphans.because).toContain('a server uses the folder');
    expect(existsSync(blobFile(dataDir, old))).toBe(true);
  });

  it('removes nothing while anything is damaged: a blob without a row may be what a manifest names', async () => {
    const old = await makeOrphan('old', 25);
    edit('DELETE FROM payloads');

    const { report, code } = await verify();

    expect(code).toBe(1);
    expect(report.orphans.removed).toEqual([]);
    expect(report.orphans.kept).toHaveLength(2);
    expect(report.orphans.because).toContain('something is damaged');
    expect(existsSync(blobFile(dataDir, old))).toBe(true);
  });

  it('removes nothing while somebody reads the folder', async () => {
    const old = await makeOrphan('old', 25);
    const { openReading } = await import('../../../server/reading.ts');
    const reading = await openReading({ dataDir }, {});

    const { report } = await verify();
    await reading.close();

    expect(report.orphans).toMatchObject({ removed: [], kept: [{ sha256: old }] });
    expect(report.orphans.because).toContain('a backup or an export is running');
    expect((await verify()).report.orphans.removed).toMatchObject([{ sha256: old }]);
  });
});
