import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Audit, operator } from '../../../server/audit/audit.ts';
import { hashOf } from '../../../server/audit/chain.ts';
import { type Verdict, verifyChain } from '../../../server/audit/verify.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { createSqlAudit } from '../../../server/database/sql-audit.ts';
import { localAuditLog } from '../../../server/verbs/audit-log.ts';
import { makeTempDir } from '../../kit/test-server.ts';

describe('the chain of the audit log', () => {
  let dir: string;
  let db: Connection;
  let audit: Audit;
  beforeEach(async () => {
    dir = await makeTempDir();
    db = openDatabase(join(dir, 'catalog.db'));
    audit = createSqlAudit(db, () => new Date('2026-05-01T10:00:00Z'));
    for (const n of [1, 2, 3, 4, 5]) {
      await audit.record([{ kind: 'packages imported', subject: `source ${n}`, detail: `${n}` }], operator);
    }
  });
  afterEach(async () => {
    db.close();
    await rm(dir, { recursive: true, force: true });
  });

  const verify = (noted?: string): Promise<Verdict> =>
    verifyChain(localAuditLog({ audit, downloads: {} as never }).entries(), noted);
  /** What somebody with the file in hand can do. */
  const tamper = (...sql: string[]): void => {
    db.exec('DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_gap;');
    for (const one of sql) db.exec(one);
  };

  it('is intact as written, and has a head', async () => {
    const [last] = await audit.list({ after: 4, limit: 1 });

    expect(await verify()).toEqual({ head: { number: 5, hash: last?.hash }, broken: undefined });
    expect(await audit.head()).toEqual({ number: 5, hash: last?.hash });
  });

  it.each([
    'UPDATE audit SET key_name = 1 WHERE number = 3',
    'DELETE FROM audit WHERE number = 5',
    'INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE number = 2',
    "INSERT INTO audit SELECT 9, at, kind, 'x', version, file, digest, detail, key_id, key_name, from_address, previous, 'y' FROM audit WHERE number = 1",
  ])('is protected by the database against %s', (sql) => {
    expect(() => db.exec(sql)).toThrow('append-only');
  });

  it.each([
    'at',
    'kind',
    'subject',
    'version',
    'file',
    'digest',
    'detail',
    'key_id',
    'key_name',
    'from_address',
  ])('shows that %s of an entry was changed', async (column) => {
    tamper(`UPDATE audit SET ${column} = 1 WHERE number = 3`);

    const { broken } = await verify();

    expect(broken).toMatchObject({ number: 3, problem: expect.stringContaining('its content') });
    if (column !== 'at') expect(broken?.at).toEqual(new Date('2026-05-01T10:00:00Z'));
  });

  it('shows the entry after one that was changed together with its hash', async () => {
    const [third] = await audit.list({ after: 2, limit: 1 });
    const forged = { ...third!, change: { ...third!.change, subject: 'another' } };
    tamper(`UPDATE audit SET subject = 'another', hash = '${hashOf(forged)}' WHERE number = 3`);

    expect((await verify()).broken).toMatchObject({
      number: 4,
      problem: expect.stringContaining('that one was replaced'),
    });
  });

  it('shows that an entry is missing', async () => {
    tamper('DELETE FROM audit WHERE number = 2');

    expect((await verify()).broken).toMatchObject({ number: 3, problem: 'entry 2 is missing' });
  });

  it('shows that the beginning is missing', async () => {
    tamper('DELETE FROM audit WHERE number = 1', 'UPDATE audit SET number = number - 1');

    expect((await verify()).broken).toMatchObject({ number: 1 });
  });

  it('shows entries cut off at the end only with a head that was noted before', async () => {
    const { hash } = await audit.head();
    expect((await verify(hash)).broken).toBeUndefined();
    await audit.record([{ kind: 'packages imported', subject: 'more' }], operator);
    expect((await verify(hash)).broken).toBeUndefined();

    tamper('DELETE FROM audit WHERE number >= 5');

    expect((await verify()).broken).toBeUndefined();
    expect((await verify(hash)).broken).toMatchObject({
      number: 5,
      problem: expect.stringContaining('cut off at the end'),
    });
  });
});
