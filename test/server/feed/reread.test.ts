import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../../../server/database/migrations.ts';
import { makeNupkg, type NupkgOptions } from '../../kit/nupkg.ts';
import { adminKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { until } from '../../kit/until.ts';

const plain = { id: 'plain' };
const withIcon = { metadata: { icon: 'a.png' }, files: { 'a.png': 'a' } };
const asTool = { metadataXml: '<packageTypes><packageType name="DotnetTool"/></packageTypes>' };
/** What neighbours said alike before, and do not any more. */
const packages: readonly NupkgOptions[] = [
  { ...plain, version: '1.0.0' },
  { ...plain, version: '1.1.0' },
  { id: 'many', version: '1.0.0', ...withIcon },
  { id: 'many', version: '1.1.0', ...withIcon },
  { id: 'many', version: '1.2.0', ...asTool },
  { id: 'many', version: '1.3.0', ...asTool },
  { id: 'many', version: '1.4.0' },
  { id: 'many', version: '1.5.0', ...withIcon },
  { id: 'damaged', version: '1.0.0', metadata: { readme: 'r.md' }, files: { 'r.md': 'r' } },
];

let dataDir: string;
beforeEach(async () => {
  dataDir = await makeTempDir();
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function start(): Promise<TestServer> {
  return startTestServer({ dataDir, publicUrl: 'http://feed.corp', logLevel: 'info' });
}

async function shown(server: TestServer): Promise<string[]> {
  const ids = ['plain', 'many', 'damaged'];
  const documents = ids.map(async (id) => (await fetch(`${server.url}/v3/reg/${id}/index.json`)).text());
  const feed = await (await fetch(`${server.url}/nuget/Packages()`)).text();
  const tools = await (await fetch(`${server.url}/v3/autocomplete?packageType=dotnettool`)).text();
  return [...(await Promise.all(documents)), feed, tools];
}

/** As the program before left it: it passed over these fields, so that more versions said the same. */
function makeOld(): void {
  const db = new Database(join(dataDir, 'catalog.db'));
  const added = migrations.findIndex((step) => step.includes('CREATE TABLE unread_nuspecs'));
  const steps = migrations.slice(added + 1).join('');
  const later = [
    ...steps.matchAll(/CREATE (?:UNIQUE )?(TABLE|INDEX) (\w+)|ALTER TABLE (\w+) ADD COLUMN (\w+)/g),
  ].map(([, kind, name, table, column]) =>
    table === undefined ? `DROP ${kind} IF EXISTS ${name};` : `ALTER TABLE ${table} DROP COLUMN ${column};`,
  );
  const fields = ['license', 'icon', 'readme', 'packageTypes', 'repository'].map((name) => `'$.${name}'`);
  db.exec(`
    ${later.reverse().join('\n')}
    ALTER TABLE nuspecs RENAME TO texts;
    ALTER TABLE packages RENAME COLUMN nuspec_pk TO texts_pk;
    ALTER TABLE pending_blobs RENAME TO fresh_blobs;
    ALTER TABLE purge_queue RENAME TO doomed_blobs;
    UPDATE texts SET nuspec = json_remove(nuspec, ${fields.join(', ')});
    UPDATE packages SET texts_pk = (
      SELECT min(q.texts_pk) FROM packages q JOIN texts t ON t.pk = q.texts_pk WHERE q.id_key = packages.id_key);
    DELETE FROM texts WHERE pk NOT IN (SELECT texts_pk FROM packages);
    ALTER TABLE packages DROP COLUMN package_types;
    DROP TABLE unread_nuspecs;
    PRAGMA user_version = ${added};`);
  db.close();
}

const isDone = (server: TestServer) => server.logged().includes('read the nuspecs of older packages again');

describe('packages from before a field of their nuspec was read', () => {
  it('are read again, once, and shown as if they had come today', async () => {
    const before = await start();
    for (const options of packages) {
      expect((await pushNupkg(before, makeNupkg(options), adminKey)).status).toBe(201);
    }
    const expected = await shown(before);
    await before.stop();
    makeOld();

    const after = await start();
    await until(async () => isDone(after));
    expect(await shown(after)).toEqual(expected);
    await after.stop();

    const db = new Database(join(dataDir, 'catalog.db'), { readonly: true });
    expect(db.prepare('SELECT count(*) FROM unread_nuspecs').pluck().get()).toBe(0);
    expect(db.pragma('foreign_key_check')).toEqual([]);
    // plain; icon, tool and neither of many; damaged.
    expect(db.prepare('SELECT count(*) FROM nuspecs').pluck().get()).toBe(5);
    db.close();
    const later = await start();
    expect(await shown(later)).toEqual(expected);
    expect(isDone(later)).toBe(false);
    await later.stop();
  });

  it('are shown as before where their bytes cannot be read, without stopping the others', async () => {
    const before = await start();
    for (const options of packages) await pushNupkg(before, makeNupkg(options), adminKey);
    const { sha256 = '' } = (await before.services.catalog.find('damaged', '1.0.0')) ?? {};
    await before.stop();
    makeOld();
    await writeFile(join(dataDir, 'blobs', sha256.slice(0, 2), sha256), 'not a zip');

    const after = await start();
    await until(async () => isDone(after));
    const [, many = '', damaged = ''] = await shown(after);
    expect(many).toContain('http://feed.corp/v3/flat/many/1.5.0/icon');
    expect(damaged).toContain('The package damaged.');
    expect(damaged).not.toContain('readmeUrl');
    expect(after.logged()).toContain('a package could not be read again');
    await after.stop();
  });
});
