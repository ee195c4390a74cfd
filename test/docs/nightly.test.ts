import { access, cp, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand as createAudit } from '../../server/verbs/audit.ts';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { runVerb } from '../kit/operator-fixture.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { expectCleanUnits } from '../kit/systemd.ts';
import { makeTempDir, productDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

const inGuide = (name: string): string => join(productDir, 'docs', 'operate', name);

describe.skipIf(process.platform === 'win32')('docs/operate/nightly.sh', () => {
  let dir: string;
  let backups: string;
  let server: TestServer;
  beforeAll(async () => {
    dir = await makeTempDir();
    backups = join(dir, 'backups of the feed');
    const { version } = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8'));
    server = await startTestServer({ server: { version } });
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const nightly = (more: Readonly<Record<string, string>> = {}) =>
    run('sh', [inGuide('nightly.sh')], {
      env: {
        PATH: process.env.PATH,
        DATA_DIR: server.dataDir,
        PUBLIC_URL: server.publicUrl,
        BACKUP_DIR: backups,
        PROGRAM: mainJs,
        ...more,
      },
    });
  /** As if it was made three weeks ago. */
  async function addOld(name: string): Promise<void> {
    await writeFile(join(backups, name), '');
    const then = new Date(Date.now() - 21 * 86_400_000);
    await utimes(join(backups, name), then, then);
  }

  it('writes a backup, keeps the first of the month, and deletes what is older than two weeks', async () => {
    await mkdir(join(backups, 'monthly'), { recursive: true });
    await addOld('feed-2026-01-02.tgz');
    await addOld('monthly/feed-2026-01-01.tgz');
    await addOld('of-others.tgz');

    const { code, stdout, stderr } = await nightly();

    expect(code, stdout + stderr).toBe(0);
    expect((await readdir(backups)).toSorted()).toEqual([
      expect.stringMatching(/^feed-\d{4}-\d\d-\d\d\.tgz$/),
      'monthly',
      'of-others.tgz',
    ]);
    const monthly = (await readdir(join(backups, 'monthly'))).toSorted();
    expect(monthly).toEqual(['feed-2026-01-01.tgz', expect.stringMatching(/^feed-.*\.tgz$/)]);
    // and again on the same day
    expect(await nightly()).toMatchObject({ code: 0 });
    expect((await readdir(join(backups, 'monthly'))).toSorted()).toEqual(monthly);
  });

  it('prunes betas and anchors the audit log where that is asked for', async () => {
    const anchors = join(dir, 'anchors.jsonl');
    await pushNupkg(server, makeNupkg({ id: 'delve' }), server.adminKey);
    expect(await runVerb(createAudit, server.dataDir, 'anchor', '--to', anchors)).toMatchObject({ code: 0 });

    const { code, stdout, stderr } = await nightly({ PRUNE: '--betas 5 --older-than 90d', ANCHORS: anchors });

    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/\bbetas?\b/);
    expect((await readFile(anchors, 'utf8')).trim().split('\n')).toHaveLength(2);
  });

  it('does the rest and ends with the worst code when something fails', async () => {
    const anchors = join(dir, 'broken.jsonl');
    await writeFile(anchors, 'no anchor\n');
    const missing = join(dir, 'file');
    await writeFile(missing, '');

    const { code, stdout } = await nightly({
      BACKUP_DIR: join(missing, 'in a file'),
      PUBLIC_URL: 'http://127.0.0.1:1',
      ANCHORS: anchors,
    });

    expect(code).toBe(5);
    expect(stdout).toContain('fail  public-url');
    expect(await readFile(anchors, 'utf8')).toBe('no anchor\n');
  });
});

describe('the units of the nightly job', () => {
  it('have the user, the folder and the settings of the service', async () => {
    const [service, nightly] = await Promise.all(
      ['go-win-tools.service', 'go-win-tools-nightly.service'].map((name) => readFile(inGuide(name), 'utf8')),
    );

    expect(service).toMatch(/^DynamicUser=yes\nStateDirectory=go-win-tools$/m);
    expect(nightly).toMatch(/^DynamicUser=yes\nUser=go-win-tools\nStateDirectory=go-win-tools /m);
    for (const line of [/^StateDirectoryMode=.*$/m, /^UMask=.*$/m, /^Environment=PUBLIC_URL=.*$/m]) {
      expect(line.exec(nightly ?? '')?.[0]).toBe(line.exec(service ?? '')?.[0]);
    }
    const [, script = ''] = /^ExecStart=\/bin\/sh \/opt\/go-win-tools\/(.*)$/m.exec(nightly ?? '') ?? [];
    await access(join(productDir, script));
  });

  it.skipIf(!hasProgram('systemd-analyze'))('are clean to systemd (needs systemd-analyze)', async () => {
    const dir = await makeTempDir();
    const units = ['go-win-tools-nightly.service', 'go-win-tools-nightly.timer'];
    for (const name of units) await cp(inGuide(name), join(dir, name));

    await expectCleanUnits(
      'go-win-tools-nightly',
      units.map((name) => join(dir, name)),
    );
    await rm(dir, { recursive: true, force: true });
  });
});
