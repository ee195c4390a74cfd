import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../../server/audit/audit.ts';
import type { Payload } from '../../../../server/catalog/payloads.ts';
import { createSqlPayloads } from '../../../../server/catalog/sql/payloads.ts';
import { type Connection, openDatabase } from '../../../../server/database/connection.ts';

describe('SqlPayloads', () => {
  let dir: string;
  let db: Connection;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-payloads-'));
    db = openDatabase(join(dir, 'catalog.db'));
  });
  afterEach(async () => {
    db.close();
    await rm(dir, { recursive: true, force: true });
  });

  const payload: Payload = {
    tool: 'delve',
    version: '1.22.0',
    file: 'dlv-windows-amd64.exe',
    sha256: 'a'.repeat(64),
    sizeBytes: 5_000_000_000,
    created: new Date('2026-01-02T03:04:05.678Z'),
  };

  it('gives back what was added, after it was opened again too', async () => {
    expect(await createSqlPayloads(db).add(payload, operator)).toBe('added');
    db.close();
    db = openDatabase(join(dir, 'catalog.db'));

    expect(await createSqlPayloads(db).find('delve', '1.22.0', payload.file)).toEqual(payload);
  });

  it('keeps what is there: the same bytes are the same, others are not taken', async () => {
    const payloads = createSqlPayloads(db);
    await payloads.add(payload, operator);

    expect(await payloads.add({ ...payload, created: new Date() }, operator)).toBe('same');
    expect(await payloads.add({ ...payload, sha256: 'b'.repeat(64) }, operator)).toBe('differs');

    expect(await payloads.find('delve', '1.22.0', payload.file)).toEqual(payload);
  });

  it('takes names exactly', async () => {
    const payloads = createSqlPayloads(db);
    await payloads.add(payload, operator);

    expect(await payloads.find('Delve', '1.22.0', payload.file)).toBeUndefined();
    expect(await payloads.find('delve', '1.22', payload.file)).toBeUndefined();
    expect(await payloads.find('delve', '1.22.0', 'dlv-windows-arm64.exe')).toBeUndefined();
  });

  it('lists the files of one version by name', async () => {
    const payloads = createSqlPayloads(db);
    for (const file of ['c.exe', 'a.exe', 'b.exe']) await payloads.add({ ...payload, file }, operator);
    await payloads.add({ ...payload, version: '1.23.0' }, operator);

    const files = await payloads.list('delve', '1.22.0');

    expect(files.map(({ file }) => file)).toEqual(['a.exe', 'b.exe', 'c.exe']);
    expect(await payloads.list('delve', '9.9.9')).toEqual([]);
  });
});
