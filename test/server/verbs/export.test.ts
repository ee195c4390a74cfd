import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestFile } from '../../../formats/digest.ts';
import { ExportIndex } from '../../../formats/export-index.ts';
import { nameFiles } from '../../../server/feed/export-plan.ts';
import { createCommand } from '../../../server/verbs/export.ts';
import { createCommand as createImport } from '../../../server/verbs/import.ts';
import { createGitClient } from '../../kit/git.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import { blobFile, contentOf, makeStockedDir } from '../../kit/stocked-feed.ts';
import { makeTempDir, pushNupkg, startTestServer } from '../../kit/test-server.ts';

let root: string;
let stocked: string;
let out: string;
let count = 0;

beforeAll(async () => {
  root = await makeTempDir();
  stocked = await makeStockedDir(root);
});
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
beforeEach(() => {
  out = join(root, `out-${++count}`);
});

const exportTo = (dataDir: string, ...args: string[]): Promise<Said> =>
  runVerb(createCommand, dataDir, ...args);
const indexOf = async (dir: string): Promise<ExportIndex> =>
  ExportIndex.parse(JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')));

describe('feed:export', () => {
  it('writes plain files under the names that NuGet gives them, payloads, a bucket to clone, and an index of all', async () => {
    const { error } = await exportTo(stocked, out);

    expect(error).toBeUndefined();
    expect((await readdir(out)).sort()).toEqual([
      ...[
        'Sample.1.0.0.nupkg',
        'Sample.1.1.0.nupkg',
        'Sample.1.2.0+build.5.nupkg',
        'Sample.2.0.0-beta.1.nupkg',
      ],
      ...['bucket.bundle', 'dl', 'index.json', 'other.tool.1.0.0.0.nupkg'],
    ]);
    const index = await indexOf(out);
    expect(index.complete).toBe(true);
    expect(index.packages.map(({ id, version, listed }) => [id, version, listed])).toEqual([
      ['other.tool', '1.0.0.0', true],
      ['Sample', '1.0.0', true],
      ['Sample', '1.1.0', false],
      ['Sample', '1.2.0+build.5', true],
      ['Sample', '2.0.0-beta.1', true],
    ]);
    for (const { file, sha256, size } of [...index.packages, ...index.payloads]) {
      expect(await digestFile(join(out, file))).toMatchObject({ sha256, sizeBytes: size });
    }
    expect(index.payloads.map(({ file }) => file)).toEqual(['dl/buf/1.32.0/buf-windows-amd64.exe']);
    expect((await stat(join(out, 'Sample.1.0.0.nupkg'))).mtime.toISOString()).toBe(
      index.packages.find(({ version }) => version === '1.0.0')?.published,
    );
    const git = await createGitClient(root);
    const clone = await git.clone(join(out, 'bucket.bundle'), 'from-bundle');
    expect(JSON.parse(await readFile(join(clone, 'bucket', 'buf.json'), 'utf8')).version).toBe('1.32.0');
    expect(await git.run(clone, 'branch', '--remotes')).toContain('origin/beta');
    expect(await git.run(clone, 'tag')).toBe('buf/v1.32.0');
  });

  it('works beside a running server, and writes only what is new the next time', async () => {
    const data = join(root, 'growing');
    await cp(stocked, data, { recursive: true });
    const server = await startTestServer({ dataDir: data });
    const first = await exportTo(data, out, '--json');
    await pushNupkg(server, makeNupkg({ id: 'Sample', version: '3.0.0' }), server.adminKey);

    const second = await exportTo(data, out, '--json');
    await server.stop();

    expect(JSON.parse(first.stdout)).toMatchObject({ written: 6, kept: 0, damaged: [] });
    expect(JSON.parse(second.stdout)).toMatchObject({ packages: 6, written: 1, kept: 6 });
    expect(existsSync(join(out, 'Sample.3.0.0.nupkg'))).toBe(true);
    expect(existsSync(join(out, '.part'))).toBe(false);
  });

  it('can be imported by feed:import to a feed with the same rows, bytes, listing and dates', async () => {
    await exportTo(stocked, out);
    for (const { file } of (await indexOf(out)).packages) await utimes(join(out, file), 0, 0);
    const data = join(root, 'again');

    const imported = await runVerb(createImport, data, out);

    expect(imported.error).toBeUndefined();
    const [ours, theirs] = [await contentOf(data), await contentOf(stocked)];
    for (const { file, sha256 } of (await indexOf(out)).packages) {
      expect([file, ours.blobs[sha256]]).toEqual([file, sha256]);
    }
    // In another order, at another time.
    const timeless = (rows: unknown[] | undefined): unknown[] =>
      (rows ?? [])
        .map((row) => ({ ...(row as object), pk: 0, nuspec_pk: 0, created: 0, last_edited: 0, revision: 0 }))
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    for (const table of ['ids', 'packages', 'nuspecs']) {
      expect(timeless(ours.rows[table])).toEqual(timeless(theirs.rows[table]));
    }
  });

  it('has a bucket that can become the one of a new server', async () => {
    await exportTo(stocked, out);
    const data = join(root, 'with-bucket');
    await mkdir(join(data, 'bucket'), { recursive: true });
    const git = await createGitClient(root);
    await git.run(
      root,
      'clone',
      '-q',
      '--mirror',
      join(out, 'bucket.bundle'),
      join(data, 'bucket', 'repo.git'),
    );

    const server = await startTestServer({ dataDir: data });
    const clone = await git.clone(`${server.url}/git/main/go-win-tools.git`, 'from-new-server');
    await server.stop();

    expect(JSON.parse(await readFile(join(clone, 'bucket', 'buf.json'), 'utf8')).version).toBe('1.32.0');
    expect(await git.run(clone, 'tag')).toBe('buf/v1.32.0');
  });

  it('is checked file by file against its index when it is imported', async () => {
    await exportTo(stocked, out);
    await writeFile(
      join(out, 'Sample.1.0.0.nupkg'),
      makeNupkg({ id: 'Sample', metadata: { title: 'Other' } }),
    );

    const imported = await runVerb(createImport, join(root, 'refusing'), out);

    expect(imported.error).toMatchObject({ exitCode: 1 });
    expect(imported.stdout).toMatch(
      /The bytes have the SHA512 .*, but the source announces.*\n {2}Sample 1\.0\.0/,
    );
    expect(imported.stdout).toContain('4 imported');
  });

  it('exports the named ids only, in any casing, and says which are not here', async () => {
    const { error } = await exportTo(stocked, out, '--id', 'sample', 'buf', 'nobody');

    expect(error).toMatchObject({ code: 'EXPORT_UNKNOWN', exitCode: 1 });
    expect(error?.message).toContain('nobody');
    const index = await indexOf(out);
    expect([index.packages.length, index.payloads.length, index.bucket]).toEqual([4, 1, null]);
  });

  it('touches no foreign folder, and no file that was changed since', async () => {
    await mkdir(out);
    await writeFile(join(out, 'holiday.jpg'), 'mine');
    const folder = await exportTo(stocked, out);
    const mine = join(root, 'mine');
    await exportTo(stocked, mine);
    await writeFile(join(mine, 'Sample.1.0.0.nupkg'), 'changed');
    await rm(join(mine, 'Sample.1.1.0.nupkg'));
    const file = await exportTo(stocked, mine);

    expect(folder.error).toMatchObject({ code: 'EXPORT_FOREIGN', exitCode: 1 });
    expect(await readdir(out)).toEqual(['holiday.jpg']);
    expect(file.error).toMatchObject({ code: 'EXPORT_FOREIGN' });
    expect(file.error?.message).toContain('Sample.1.0.0.nupkg');
    expect(await readFile(join(mine, 'Sample.1.0.0.nupkg'), 'utf8')).toBe('changed');
    expect(existsSync(join(mine, 'Sample.1.1.0.nupkg'))).toBe(false);
  });

  it('overwrites no bucket.bundle and clears away no .part that it did not write', async () => {
    await mkdir(join(out, '.part'), { recursive: true });
    await writeFile(join(out, '.part', 'letter.txt'), 'mine');
    const part = await exportTo(stocked, out);
    await rm(join(out, '.part'), { recursive: true });
    await exportTo(stocked, out, '--id', 'sample');
    await writeFile(join(out, 'bucket.bundle'), 'mine');
    const bundle = await exportTo(stocked, out);

    expect(part.error?.message).toContain('letter.txt in it is not ours');
    expect(bundle.error).toMatchObject({ code: 'EXPORT_FOREIGN' });
    expect(await readFile(join(out, 'bucket.bundle'), 'utf8')).toBe('mine');
  });

  it('exports everything except what is damaged, and ends with 1', async () => {
    const data = join(root, 'rotten');
    await cp(stocked, data, { recursive: true });
    const { sha256 } = await digestFile(await fileOf(data, 'Sample.1.0.0.nupkg'));
    await writeFile(blobFile(data, sha256), 'rot');

    const { error, stderr } = await exportTo(data, out);

    expect(error).toMatchObject({ code: 'EXPORT_INCOMPLETE', exitCode: 1 });
    expect(stderr).toContain('Sample.1.0.0.nupkg: its SHA-256 is');
    expect(existsSync(join(out, 'Sample.1.0.0.nupkg'))).toBe(false);
    expect((await indexOf(out)).packages).toHaveLength(4);
  });

  async function fileOf(data: string, name: string): Promise<string> {
    await exportTo(data, join(root, 'sound'));
    return join(root, 'sound', name);
  }
});

describe('the name of an exported file', () => {
  const sha256 = 'abcdef012345'.padEnd(64, '0');
  const other = 'fedcba543210'.padEnd(64, '0');

  it.each([
    [[{ id: 'buf', version: '1.0.0', sha256 }], ['buf.1.0.0.nupkg']],
    [[{ id: 'con', version: '1.0.0', sha256 }], ['_con.1.0.0.nupkg']],
    [[{ id: 'Com1', version: '1.0.0', sha256 }], ['_Com1.1.0.0.nupkg']],
    [[{ id: 'console', version: '1.0.0', sha256 }], ['console.1.0.0.nupkg']],
    [
      [
        { id: 'A.1', version: '0.0.0', sha256 },
        { id: 'a', version: '1.0.0.0', sha256: other },
      ],
      ['A.1.0.0.0.abcdef012345.nupkg', 'a.1.0.0.0.fedcba543210.nupkg'],
    ],
    [[{ id: 'long', version: `1.0.0-${'x'.repeat(300)}`, sha256 }], [`long.${sha256}.nupkg`]],
  ])('%#: is valid on Windows and unique', (packages, names) => {
    expect(nameFiles(packages)).toEqual(names);
  });
});
