import { describe, expect, it } from 'vitest';
import { warnOfPlainStores } from '../../server/plain-stores.ts';

const safe = 'postgres://feed:hunter2@localhost/feed';

async function warningsOf(databaseUrl: string, endpoint?: string): Promise<readonly unknown[]> {
  const warnings: unknown[] = [];
  await warnOfPlainStores(databaseUrl, endpoint, { warn: (about: unknown) => void warnings.push(about) });
  return warnings;
}

describe('a shared store', () => {
  it.each([
    'postgres://feed:hunter2@db.example/feed',
    'postgres://feed:hunter2@db.example/feed?sslmode=disable',
    'postgres://feed:hunter2@192.0.2.1/feed',
    'postgres://feed:hunter2@localhost/feed?host=db.example',
  ])('is reported without TLS: %s', async (url) => {
    const warnings = await warningsOf(url);

    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(warnings)).not.toContain('hunter2');
  });

  it.each([
    safe,
    'postgres://feed:hunter2@127.0.0.2:5433/feed',
    'postgres:///feed?host=/run/postgresql',
    'postgres://feed:hunter2@db.example/feed?sslmode=verify-full',
    'postgres://feed:hunter2@db.example/feed?sslmode=require',
  ])('is not reported on this machine or with TLS: %s', async (url) => {
    expect(await warningsOf(url)).toEqual([]);
  });

  it('is reported when objects come over plain http', async () => {
    expect(await warningsOf(safe, 'http://s3.example:7070')).toEqual([
      { endpoint: 'http://s3.example:7070' },
    ]);
    for (const endpoint of ['https://s3.example', 'http://127.0.0.1:7070', 'http://[::1]:7070', undefined])
      expect(await warningsOf(safe, endpoint)).toEqual([]);
  });
});
