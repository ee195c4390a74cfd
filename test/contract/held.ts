import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import type { Catalog, PackageRow } from '../../server/catalog/catalog.ts';
import type { Grant, HeldVersions, VersionReads } from '../../server/catalog/held.ts';
import type { PackageQuery } from '../../server/catalog/query.ts';
import { makePackage } from '../kit/new-package.ts';
import { type CatalogFixture, everything } from './catalog.ts';

type HeldFixture = CatalogFixture & { readonly catalog: Catalog & HeldVersions };

const versions = ['1.0.0', '1.1.0-beta.1', '1.1.0', '1.1.0.1', '1.2.0', '2.0.0-rc.1+build', '2.0.0'];
const someVersion = fc.record({
  id: fc.constantFrom('buf', 'delve', 'Go'),
  version: fc.constantFrom(...versions),
  title: fc.constantFrom('one tool', 'another tool'),
  isListed: fc.boolean(),
  /** Held, and granted to the client that asks. */
  isGranted: fc.boolean(),
});
/** One row for each id and version. */
const someVersions = fc.uniqueArray(someVersion, {
  selector: ({ id, version }) => `${id} ${version}`,
  maxLength: 12,
});
const where = (name: 'IsLatestVersion' | 'IsAbsoluteLatestVersion') =>
  ({ where: { kind: 'property', name } }) as const;
/** What clients ask, by what a held version may change in it. */
const questions: readonly Partial<PackageQuery>[] = [
  {},
  { take: 3 },
  { skip: 2, take: 3 },
  { id: 'Delve' },
  { id: 'go', includeUnlisted: false, includePrerelease: false },
  { id: 'buf', skip: 1, take: 2 },
  where('IsLatestVersion'),
  where('IsAbsoluteLatestVersion'),
  { ...where('IsLatestVersion'), view: 'semver1', id: 'delve' },
  { search: ['another'], includeUnlisted: false },
  { search: ['tool'], ...where('IsLatestVersion'), idsFirst: 'g', take: 2 },
  { orderBy: [{ by: 'Id', descending: false }], skip: 1, take: 4 },
  { orderBy: [{ by: 'Version', descending: true }], take: 5 },
  {
    orderBy: [
      { by: 'Title', descending: true },
      { by: 'Published', descending: false },
    ],
    skip: 1,
    take: 6,
  },
];

/** What every catalog does with versions that are held back. `open` makes an empty one. */
export function describeHeldVersions(name: string, open: () => Promise<HeldFixture>): void {
  describe(`held versions in ${name}`, () => {
    const opened: HeldFixture[] = [];
    const make = async () => {
      const fixture = await open();
      opened.push(fixture);
      return fixture.catalog;
    };
    let catalog: HeldFixture['catalog'];
    beforeEach(async () => {
      catalog = await make();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((fixture) => fixture.close()));
    });

    const delve = (version: string) => makePackage({ id: 'delve', version });
    const grant = (version: string, isListed = true): Grant => ({ id: 'DELVE', version, isListed });

    it('are among the packages of a client that has them, and look as if they were published', async () => {
      await fc.assert(
        fc.asyncProperty(someVersions, async (all) => {
          const [held, published] = [await make(), await make()];
          for (const { isGranted, isListed, ...parts } of all) {
            const pkg = { ...makePackage(parts), isListed };
            await published.add(pkg, operator);
            await (isGranted ? held.hold(pkg, operator) : held.add(pkg, operator));
          }
          const granted = all.filter(({ isGranted }) => isGranted);

          const seen = held.withHeld(granted);

          expect(await answersOf(seen)).toEqual(await answersOf(published));
          for (const { id, version } of all) {
            expect(await seen.find(id, version)).toEqual(await published.find(id, version));
            expect(await seen.findFile(id, version)).toEqual(await published.findFile(id, version));
          }
        }),
        { numRuns: 20 },
      );
    });

    it('are in no answer to anybody else', async () => {
      await catalog.add(delve('1.0.0'), operator);
      const before = await answersOf(catalog);

      expect(await catalog.hold(delve('1.1.0'), operator)).toBe('held');
      expect(await catalog.hold(makePackage({ id: 'buf', version: '1.0.0' }), operator)).toBe('held');

      expect(await answersOf(catalog)).toEqual(before);
      expect(await catalog.find('delve', '1.1.0')).toBeUndefined();
      expect(await catalog.findFile('delve', '1.1.0')).toBeUndefined();
      expect(await catalog.size()).toBe(1);
      expect(await catalog.totals()).toMatchObject({ ids: 1, versions: 1 });
      expect(await catalog.isHeld('Delve', '1.1')).toBe(true);
    });

    it('are shown unlisted where the grant says so, and left out without one', async () => {
      await catalog.add(delve('1.0.0'), operator);
      await catalog.hold(delve('1.1.0'), operator);
      await catalog.hold(delve('1.1.0.1'), operator);

      const seen = catalog.withHeld([grant('1.1.0', false), grant('9.9.9'), grant('no version')]);

      expect(await namesIn(seen, { id: 'delve' })).toEqual(['delve 1.1.0', 'delve 1.0.0']);
      expect(await seen.find('delve', '1.1.0')).toMatchObject({ isListed: false, isLatest: false });
      expect(await seen.findLatest('delve')).toMatchObject({ version: '1.0.0' });
    });

    it('have numbers that nobody can use again until they are discarded', async () => {
      await catalog.hold(delve('1.1.0'), operator);

      expect(await catalog.hold(delve('1.1'), operator)).toBe('exists');
      expect(await catalog.add(delve('1.1.0'), operator)).toBe('exists');
      expect(await catalog.discardHeld('delve', '1.1.0', operator)).toBe('discarded');
      expect(await catalog.discardHeld('delve', '1.1.0', operator)).toBe('missing');
      expect(await catalog.isHeld('delve', '1.1.0')).toBe(false);
      expect(await catalog.withHeld([grant('1.1.0')]).find('delve', '1.1.0')).toBeUndefined();
      expect(await catalog.add(delve('1.1.0'), operator)).toBe('added');
    });

    it('are packages like all others once they are published', async () => {
      await catalog.add(delve('1.0.0'), operator);
      await catalog.hold(delve('1.1.0'), operator);
      catalog.countDownload('delve', '1.1.0');
      await catalog.flush();

      expect(await catalog.publishHeld('delve', '1.1.0', operator)).toBe('published');

      expect(await catalog.publishHeld('delve', '1.1.0', operator)).toBe('missing');
      expect(await catalog.isHeld('delve', '1.1.0')).toBe(false);
      expect(await catalog.find('delve', '1.1.0')).toMatchObject({
        isLatest: true,
        isListed: true,
        versionDownloads: 1,
        downloads: 1,
      });
      expect(await catalog.find('delve', '1.0.0')).toMatchObject({ isLatest: false });
      await catalog.add(delve('1.2.0'), operator);
      expect(await namesIn(catalog, {})).toEqual(['delve 1.2.0', 'delve 1.1.0', 'delve 1.0.0']);
    });

    it('change the revision of their id with each change', async () => {
      const fixture = opened.at(-1) as HeldFixture;
      const revision = async () =>
        (fixture.revisions.known() ?? (await fixture.revisions.read())).packages('delve');
      for (const change of [
        () => catalog.hold(delve('1.1.0'), operator),
        () => catalog.publishHeld('delve', '1.1.0', operator),
        () => catalog.hold(delve('1.2.0'), operator),
        () => catalog.discardHeld('delve', '1.2.0', operator),
      ]) {
        const before = await revision();

        await change();

        expect(await revision()).toBeGreaterThan(before);
      }
    });

    it('keep their texts while others come and go', async () => {
      const said = (id: string, version: string, title: string) => makePackage({ id, version, title });
      await catalog.hold(said('delve', '1.1.0', 'held'), operator);
      await catalog.add(said('delve', '1.0.0', 'public'), operator);
      await catalog.add(said('buf', '1.0.0', 'other'), operator);
      await catalog.purge('delve', '1.0.0', operator, 'leaked');
      await catalog.add(said('delve', '1.2.0', 'later'), operator);
      await catalog.discardHeld('delve', '1.1.0', operator);
      await catalog.hold(said('delve', '1.3.0', 'next'), operator);

      const seen = catalog.withHeld([grant('1.3.0')]);

      const titles = (await seen.query(everything)).map(({ version, nuspec }) => [version, nuspec.title]);
      expect(titles).toEqual([
        ['1.0.0', 'other'],
        ['1.3.0', 'next'],
        ['1.2.0', 'later'],
      ]);
    });
  });
}

async function answersOf(reads: VersionReads): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const question of questions) {
    const query = { ...everything, ...question };
    const rows = await reads.query(query);
    answers.push(rows, await reads.count(query), await walk(reads, query));
  }
  for (const id of ['buf', 'delve', 'go']) answers.push(await reads.findLatest(id));
  const ids = ['buf', 'delve', 'go'];
  const each = await reads.versionsOf(ids, { view: 'semver1', includePrerelease: true }, 3);
  answers.push(ids.map((id) => each.get(id)));
  return answers;
}

/** All pages of two rows, as a client follows the links from one to the next. */
async function walk(reads: VersionReads, query: PackageQuery): Promise<PackageRow[]> {
  const rows: PackageRow[] = [];
  let after: PackageQuery['after'];
  for (;;) {
    const page = await reads.query({ ...query, skip: 0, take: 2, ...(after && { after }) });
    rows.push(...page);
    const last = page.at(-1);
    if (last === undefined) return rows;
    after = { id: last.id, version: last.normalizedVersion };
  }
}

async function namesIn(reads: VersionReads, query: Partial<PackageQuery>): Promise<string[]> {
  return (await reads.query({ ...everything, ...query })).map(({ id, version }) => `${id} ${version}`);
}
