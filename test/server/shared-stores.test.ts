import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config.ts';

const shared = {
  DATABASE_URL: 'postgres://feed:hunter2@db.example.org/feed',
  BLOB_STORE: 's3://tools/feed',
  PUBLIC_URL: 'https://feed.example.org',
};

function problemsOf(...args: Parameters<typeof loadConfig>): readonly string[] {
  try {
    loadConfig(...args);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings of stores that servers share', () => {
  it('need one another, and an address that all servers write', () => {
    expect(problemsOf(shared)).toEqual([]);
    expect(problemsOf({ ...shared, BLOB_STORE: '' })).toEqual([
      expect.stringMatching(/^BLOB_STORE: required with DATABASE_URL, since /),
    ]);
    expect(problemsOf({ ...shared, DATABASE_URL: '' })).toEqual([
      expect.stringMatching(/^DATABASE_URL: required with BLOB_STORE, since /),
    ]);
    expect(problemsOf({ ...shared, PUBLIC_URL: '' })).toEqual([
      expect.stringMatching(/^PUBLIC_URL: required with DATABASE_URL, since /),
    ]);
    expect(problemsOf({ DATABASE_URL: shared.DATABASE_URL, PORT: 'x' })).toHaveLength(3);
  });

  it('are refused by a verb for one server, with what to do instead', () => {
    for (const env of [
      shared,
      { DATABASE_URL: shared.DATABASE_URL },
      { DATABASE_URL_FILE: '/no/such/file', BLOB_STORE: shared.BLOB_STORE },
    ]) {
      expect(problemsOf(env, 'one server')).toContainEqual(
        expect.stringMatching(/^DATABASE_URL: start is for one server .* Run serve/),
      );
    }
    expect(problemsOf({}, 'one server')).toEqual([]);
  });

  it.each([
    'postgres://feed:pass@db.example.org/feed',
    'postgresql://db.example.org:5433/feed?sslmode=verify-full',
    'postgres://feed@[::1]:5432/feed',
    'postgres:///feed?host=/var/run/postgresql',
    'postgres://feed@%2Fvar%2Frun%2Fpostgresql/feed',
  ])('take %s', (url) => {
    expect(loadConfig({ ...shared, DATABASE_URL: url }).databaseUrl).toBe(url);
  });

  it.each([
    'hunter2',
    'mysql://feed:hunter2@db.example.org/feed',
    'https://feed:hunter2@db.example.org/feed',
    'postgres:feed:hunter2',
    'postgres://feed:hunter2@db.example.org:port/feed',
    'postgres://feed:#hunter2@db.example.org/feed',
    'postgres://feed:hunter2 x@db example/feed',
    'postgres:///hunter2',
  ])('refuse a wrong address of a database and do not show it: %s', (url) => {
    const problems = problemsOf({ ...shared, DATABASE_URL: url });

    expect(problems).toEqual([expect.stringMatching(/^DATABASE_URL: .*expected postgres:/)]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('read the address of the database from a file', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'go-win-tools-')), 'url');
    await writeFile(file, `${shared.DATABASE_URL}\n`);
    const { DATABASE_URL: _, ...rest } = shared;

    expect(loadConfig({ ...rest, DATABASE_URL_FILE: file }).databaseUrl).toBe(shared.DATABASE_URL);
    expect(problemsOf({ ...shared, DATABASE_URL_FILE: file })).toEqual([
      'DATABASE_URL_FILE: DATABASE_URL is set too; set one of the two',
    ]);
    await writeFile(file, '\n');
    expect(problemsOf({ ...rest, DATABASE_URL_FILE: file })).toEqual([
      expect.stringMatching(/^DATABASE_URL: expected postgres:/),
    ]);
  });

  it.each([
    ['s3://tools', { bucket: 'tools', prefix: '' }],
    ['s3://tools/', { bucket: 'tools', prefix: '' }],
    ['s3://acme.tools-1/a/b_c', { bucket: 'acme.tools-1', prefix: 'a/b_c' }],
    ['s3://tools/a/', { bucket: 'tools', prefix: 'a' }],
  ])('take apart %s', (text, address) => {
    expect(loadConfig({ ...shared, BLOB_STORE: text }).blobStore).toEqual({
      ...address,
      forcePathStyle: false,
    });
  });

  it.each([
    'tools/feed',
    's3://',
    's3://ab/feed',
    's3:///feed',
    's3://tools//feed',
    's3://tools/feed//',
    's3://tools/../feed',
    's3://tools/fe?ed',
    's3://tools/f eed',
    'https://s3.example.org/tools',
    's3://id:hunter2@tools/feed',
  ])('refuse an object store at %s', (text) => {
    const problems = problemsOf({ ...shared, BLOB_STORE: text });

    expect(problems).toEqual([expect.stringMatching(/^BLOB_STORE: expected s3:\/\/BUCKET\/PREFIX/)]);
    expect(problems.join()).not.toContain('hunter2');
  });
});
