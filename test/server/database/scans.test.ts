import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import type { Catalog } from '../../../server/catalog/catalog.ts';
import { type Expression, functionNames } from '../../../server/catalog/query.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { openScans, type ScanLimits, type Scans } from '../../../server/database/scans.ts';
import { raw, sql } from '../../../server/database/sql.ts';
import { parseFilter } from '../../../server/odata/filter.ts';
import { everything } from '../../contract/catalog.ts';
import { fillWithLongTexts } from '../../kit/long-texts.ts';
import { makeTempDir } from '../../kit/test-server.ts';

/** Three seconds of work that no row interrupts. */
const stubborn = raw(
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 20000000) SELECT count(*) FROM n',
);
const one = raw('SELECT 1');
const options = { isQuick: true, state: 1, from: '203.0.113.1' };

describe('long queries', () => {
  let dir: string;
  let db: Connection;
  const opened: Scans[] = [];
  beforeEach(async () => {
    dir = await makeTempDir();
    await fillWithLongTexts(dir, 60, 4000);
    db = openDatabase(join(dir, 'catalog.db'));
  });
  afterEach(async () => {
    for (const scans of opened.splice(0)) await scans.close();
    db.close();
    await rm(dir, { recursive: true, force: true });
  });
  function open(limits: Partial<ScanLimits> = {}): Scans {
    const scans = openScans(join(dir, 'catalog.db'), limits);
    opened.push(scans);
    return scans;
  }
  function catalogWith(limits: Partial<ScanLimits> = {}): Catalog {
    return createSqlCatalog(db, () => new Date(), open(limits));
  }
  /** Ten walks over Description, none of which finds anything. */
  function slow(name: string): Expression {
    return parseFilter(
      Array.from({ length: 40 }, (_, n) => `substringof('${name}${n}',Description)`).join(' or '),
    );
  }

  it.each(functionNames)('give the same answer with %s as on the main thread', async (name) => {
    const here = createSqlCatalog(db, () => new Date());
    const beside = catalogWith();
    const argument = ['concat', 'substringof', 'startswith', 'endswith', 'indexof'].includes(name)
      ? ",'tool 7'"
      : '';
    const called =
      name === 'substringof' ? "substringof('tool 7',Description)" : `${name}(Description${argument})`;
    const condition = {
      length: `${called} gt 3999`,
      indexof: `${called} eq 0 or indexof(tolower(Description),'tool 7') eq 0`,
      startswith: `startswith(tolower(Description),'tool 7')`,
      endswith: `endswith(Description,' ') or endswith(Description,'t')`,
      toupper: `${called} gt 'TOOL 4'`,
      substringof: `${called} or substringof('Tool 7',Description)`,
    }[name as string];
    const where = parseFilter(
      `(${condition ?? `${called} gt 'Tool 4'`}) or ${Array.from({ length: 40 }, (_, n) => `substringof('Z${n}',Description)`).join(' or ')}`,
    );

    const expected = await here.query({ ...everything, where });

    expect(expected.length).toBeGreaterThan(0);
    expect(await beside.query({ ...everything, where })).toEqual(expected);
    expect(await beside.count({ ...everything, where })).toBe(expected.length);
  });

  it('see what was published just before', async () => {
    const catalog = catalogWith();
    const where: Expression = { kind: 'or', left: slow('x'), right: parseFilter("Id eq 'Tool3'") };
    expect(await catalog.count({ ...everything, where })).toBe(1);
    expect(await catalog.count({ ...everything, where, includeUnlisted: false })).toBe(1);

    await catalog.setListed('Tool3', '1.0.0', false, operator);

    expect(await catalog.count({ ...everything, where, includeUnlisted: false })).toBe(0);
  });

  it('are stopped when their time is over, also the second time, and let the next one through', async () => {
    const catalog = catalogWith({ runMs: 5 });
    for (let again = 0; again < 2; again += 1) {
      await expect(catalog.count({ ...everything, where: slow('a') })).rejects.toThrow(
        expect.objectContaining({ code: 'QUERY_TOO_SLOW', status: 503 }),
      );
    }
    const patient = catalogWith();
    expect(await patient.count({ ...everything, where: slow('a') })).toBe(0);
  });

  it('are refused when too many wait, and when one has waited too long', async () => {
    // the first holds the thread until long after the others have waited
    const scans = open({ waiting: 2, waitMs: 50, runMs: 300, graceMs: 100 });
    const many = Array.from({ length: 5 }, (_, n) => scans.run(sql`${stubborn} WHERE ${n} = ${n}`, options));
    const ends = await Promise.allSettled(many);

    expect(ends[0]).toMatchObject({ reason: { code: 'QUERY_TOO_SLOW' } });
    for (const end of ends.slice(1))
      expect(end).toMatchObject({ reason: { code: 'QUERY_BUSY', status: 503 } });
  });

  it('take turns: one address with many of them delays no other', async () => {
    const scans = open({ waiting: 4 });
    const order: string[] = [];
    const ask = (name: string, from: string) =>
      scans.run(sql`SELECT ${name}`, { ...options, from }).then(
        () => order.push(name),
        ({ code }) => order.push(`${name} ${code}`),
      );
    const mine = Array.from({ length: 6 }, (_, n) => ask(`many ${n}`, `2001:db8::${n + 1}`));
    const others = [ask('one', '203.0.113.7'), ask('two', '203.0.113.8')];
    await Promise.all([...mine, ...others]);

    expect(order.filter((line) => line.includes('BUSY')).sort()).toEqual(
      ['many 3', 'many 4', 'many 5'].map((name) => `${name} QUERY_BUSY`),
    );
    expect(order.filter((line) => !line.includes('BUSY'))).toEqual([
      'many 0',
      'one',
      'two',
      'many 1',
      'many 2',
    ]);
  });

  it('give way to shorter ones, and run once for all who ask the same', async () => {
    const scans = open();
    const order: string[] = [];
    const ask = (name: string, isQuick: boolean) =>
      scans.run(sql`SELECT ${name}`, { ...options, isQuick }).then(() => order.push(name));
    const first = scans.run(raw('SELECT count(*) FROM packages'), options);
    await Promise.all([first, ask('long', false), ask('quick', true)]);
    expect(order).toEqual(['quick', 'long']);

    const random = raw('SELECT random()');
    const [a, b] = await Promise.all([scans.run(random, options), scans.run(random, options)]);
    const [c, d] = await Promise.all([
      scans.run(random, options),
      scans.run(random, { ...options, state: 2 }),
    ]);
    expect(a).toEqual(b);
    expect(c).not.toEqual(d);
  });

  it('abandon a thread that does not come back, and continue with another', async () => {
    const scans = open({ runMs: 300, graceMs: 200 });
    await expect(scans.run(stubborn, options)).rejects.toThrow(
      expect.objectContaining({ code: 'QUERY_TOO_SLOW' }),
    );
    expect(await scans.run(one, options)).toEqual([[1]]);
  });

  it('end with the server, and fail without crashing it', async () => {
    const scans = open();
    await expect(scans.run(raw('SELECT x FROM nowhere'), options)).rejects.toThrow('nowhere');
    const waiting = [scans.run(raw('SELECT 2'), options), scans.run(raw('SELECT 3'), options)];
    const ends = Promise.allSettled(waiting);
    await scans.close();
    for (const end of await ends) expect(end).toMatchObject({ reason: { code: 'SHUTTING_DOWN' } });
    await expect(scans.run(one, options)).rejects.toThrow(expect.objectContaining({ code: 'SHUTTING_DOWN' }));
  });
});
