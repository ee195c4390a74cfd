import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { type Candidate, chooseLatest } from '../../../server/catalog/latest.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { packageKey } from '../../../server/catalog/sql/rows.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { everything } from '../../contract/catalog.ts';
import { makePackage } from '../../kit/new-package.ts';

describe('the latest version', () => {
  const version = (versionKey: string, parts: Partial<Candidate> = {}): Candidate => ({
    versionKey,
    isPrerelease: false,
    isListed: true,
    inSemVer1: true,
    ...parts,
  });

  it('does not exist among no versions', () => {
    expect(chooseLatest([])).toEqual({
      latestSemVer1: undefined,
      newestSemVer1: undefined,
      latestSemVer2: undefined,
      newestSemVer2: undefined,
    });
  });

  it('is chosen by listing, stability and view', () => {
    const stable = version('1');
    const newer = version('2', { inSemVer1: false });
    const beta = version('3', { isPrerelease: true });
    const beta2 = version('4', { isPrerelease: true, inSemVer1: false });
    const unlisted = version('5', { isListed: false });

    expect(chooseLatest([unlisted, beta2, stable, newer, beta])).toEqual({
      latestSemVer1: stable,
      newestSemVer1: beta,
      latestSemVer2: newer,
      newestSemVer2: beta2,
    });
  });

  it('is, after any history, what it would be if chosen among all versions at once', async () => {
    const versions = ['1.0', '1.1.0-a', '1.1.0-a.1', '1.1.0', '2.0.0-0', '2.0.0+m', '2.0.0.1', '3.0.0-b'];
    const step = fc.record({
      version: fc.constantFrom(...versions),
      what: fc.constantFrom('add', 'unlist', 'relist'),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const db = openDatabase(':memory:');
        const catalog = createSqlCatalog(db, () => new Date(0));
        for (const { version, what } of steps) {
          if (what === 'add') await catalog.add(makePackage({ id: 'x', version }), operator);
          else await catalog.setListed('x', version, what === 'relist', operator);
        }

        for (const view of ['semver1', 'semver2'] as const) {
          const rows = await catalog.query({ ...everything, view });
          const candidates = rows.map((row) => ({
            version: row.version,
            versionKey: packageKey(row.id, row.version)?.versionKey ?? '',
            isPrerelease: row.isPrerelease,
            isListed: row.isListed,
            inSemVer1: true,
          }));
          const { latestSemVer1: latest, newestSemVer1: newest } = chooseLatest(candidates);
          const versionsOf = (flag: 'isLatest' | 'isAbsoluteLatest') =>
            rows.filter((row) => row[flag]).map((row) => row.version);
          expect(versionsOf('isLatest')).toEqual(latest ? [latest.version] : []);
          expect(versionsOf('isAbsoluteLatest')).toEqual(newest ? [newest.version] : []);
        }
        db.close();
      }),
      { numRuns: 150 },
    );
  });
});
