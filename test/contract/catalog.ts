import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import type { Catalog } from '../../server/catalog/catalog.ts';
import type { Expression, PackageQuery, QueryProperty } from '../../server/catalog/query.ts';
import type { Revisions } from '../../server/catalog/revisions.ts';
import { makePackage, type NuspecParts } from '../kit/new-package.ts';

export type CatalogFixture = {
  readonly catalog: Catalog;
  readonly revisions: Revisions;
  /** Closes the catalog and opens what it wrote again. */
  reopen(): Promise<Catalog>;
  close(): Promise<void>;
};

export const editedAt = new Date('2026-06-01T12:00:00Z');

/**
 * What every catalog does. `open` makes an empty one whose clock stands at `editedAt`. `isRemote`: a change takes so long that a list
 * which began before it may be complete by then.
 */
export function describeCatalog(
  name: string,
  open: () => Promise<CatalogFixture>,
  { isRemote = false } = {},
): void {
  describe(name, () => {
    let fixture: CatalogFixture;
    let catalog: Catalog;
    beforeEach(async () => {
      fixture = await open();
      catalog = fixture.catalog;
    });
    afterEach(() => fixture.close());

    const add = (id: string, version: string, parts: Partial<NuspecParts> = {}) =>
      catalog.add(makePackage({ ...parts, id, version }), operator);
    const names = async (query: Partial<PackageQuery>) =>
      (await catalog.query({ ...everything, ...query })).map((row) => `${row.id} ${row.version}`);

    describe('add and find', () => {
      it('returns what was added, for any case of the id and any spelling of the version', async () => {
        const pkg = makePackage({ id: 'Delve', version: '1.0', title: 'dlv', tags: ['Go', 'debugger'] });
        const { id: _id, version: _version, ...said } = pkg.nuspec;

        expect(await catalog.add(pkg, operator)).toBe('added');

        for (const [id, version] of [
          ['Delve', '1.0'],
          ['DELVE', '1.0.0'],
          ['delve', '01.0.0.0'],
          ['dElve', '1.0.0+build.7'],
        ] as const) {
          expect(await catalog.find(id, version)).toEqual({
            id: 'Delve',
            version: '1.0',
            normalizedVersion: '1.0.0',
            isPrerelease: false,
            isListed: true,
            isLatest: true,
            isAbsoluteLatest: true,
            nuspec: said,
            sha256: pkg.sha256,
            sha512: pkg.sha512,
            sizeBytes: pkg.sizeBytes,
            created: pkg.published,
            published: pkg.published,
            lastEdited: pkg.published,
            downloads: 0,
            versionDownloads: 0,
          });
        }
      });

      it.each([
        ['another version', 'delve', '1.0.1'],
        ['another id', 'delv', '1.0.0'],
        ['a longer id', 'delve2', '1.0.0'],
        ['what is no version', 'delve', 'latest'],
        ['an empty version', 'delve', ''],
      ])('finds nothing for %s', async (_what, id, version) => {
        await add('delve', '1.0.0');

        expect(await catalog.find(id, version)).toBeUndefined();
      });

      it.each([
        ['1.0', '1.0.0.0'],
        ['1.0.0-beta.1+foo', '1.0.0-beta.1+bar'],
        ['1.0.0-Beta', '1.0.0-beta'],
      ])('treats %s and %s as the same version', async (first, second) => {
        await add('delve', first);

        expect(
          await catalog.add(makePackage({ id: 'DELVE', version: second, title: 'other' }), operator),
        ).toBe('exists');

        expect(await catalog.size()).toBe(1);
        expect(await catalog.find('delve', second)).toMatchObject({ version: first });
      });

      it('keeps the casing of the first push of an id for all its versions', async () => {
        await add('DotNet.Tool', '1.0.0');
        await add('dotnet.tool', '2.0.0');

        expect(await names({})).toEqual(['DotNet.Tool 2.0.0', 'DotNet.Tool 1.0.0']);
      });

      it('keeps everything when it is closed and opened again', async () => {
        await add('delve', '1.0.0');
        await add('delve', '1.1.0-beta.1');
        await catalog.setListed('delve', '1.0.0', false, operator);
        const before = await catalog.query(everything);

        const reopened = await fixture.reopen();

        expect(await reopened.query(everything)).toEqual(before);
      });

      it('adds one of sixteen equal additions at once', async () => {
        const answers = await Promise.all(Array.from({ length: 16 }, () => add('delve', '1.0.0')));

        expect(answers.filter((answer) => answer === 'added')).toHaveLength(1);
        expect(answers.filter((answer) => answer === 'exists')).toHaveLength(15);
      });
    });

    describe('latest flags', () => {
      const flags = async (view: 'semver1' | 'semver2') => {
        const ask = (by: QueryProperty) => names({ view, where: { kind: 'property', name: by } });
        return { latest: await ask('IsLatestVersion'), newest: await ask('IsAbsoluteLatestVersion') };
      };

      it('are kept for both views (spec nuget-v2 12.4)', async () => {
        for (const version of ['2.0.1-alpha.1', '2.0.0', '2.0.0-alpha']) await add('x', version);

        expect(await flags('semver1')).toEqual({ latest: ['x 2.0.0'], newest: ['x 2.0.0'] });
        expect(await flags('semver2')).toEqual({ latest: ['x 2.0.0'], newest: ['x 2.0.1-alpha.1'] });
      });

      it('are the same in every answer', async () => {
        for (const version of ['1.0.0', '2.0.0-rc.1', '1.5.0']) await add('x', version);

        for (const view of ['semver1', 'semver2'] as const) {
          for (const row of await catalog.query({ ...everything, view })) {
            expect(await catalog.find(row.id, row.version, view)).toEqual(row);
          }
        }
        expect(await catalog.findLatest('X')).toEqual(await catalog.find('x', '1.5.0'));
      });

      it('give an id of prereleases only no latest version', async () => {
        await add('x', '1.0.0-beta');

        expect(await flags('semver2')).toEqual({ latest: [], newest: ['x 1.0.0-beta'] });
        expect(await catalog.findLatest('x')).toBeUndefined();
      });

      it('move when a version is unlisted and come back when it is listed again', async () => {
        for (const version of ['1.0.0', '2.0.0']) await add('x', version);

        await catalog.setListed('x', '2.0.0', false, operator);
        expect(await flags('semver2')).toEqual({ latest: ['x 1.0.0'], newest: ['x 1.0.0'] });
        await catalog.setListed('x', '1.0.0', false, operator);
        expect(await flags('semver1')).toEqual({ latest: [], newest: [] });
        await catalog.setListed('x', '2.0.0', true, operator);
        expect(await flags('semver1')).toEqual({ latest: ['x 2.0.0'], newest: ['x 2.0.0'] });
      });

      it('are not affected by the versions of another id', async () => {
        await add('x', '1.0.0');
        await add('xx', '2.0.0');

        expect(await flags('semver2')).toEqual({
          latest: ['x 1.0.0', 'xx 2.0.0'],
          newest: ['x 1.0.0', 'xx 2.0.0'],
        });
      });
    });

    describe('the SemVer 1 view', () => {
      it.each([
        ['1.0.0', {}],
        ['1.0.0-beta', {}],
        ['1.0.0', { dependencies: [{ id: 'y', range: '[1.0,2.0)' }, { id: 'z' }] }],
      ])('shows %s with %j', async (version, parts) => {
        await add('x', version, parts);

        expect(await names({ view: 'semver1' })).toEqual([`x ${version}`]);
      });

      it.each([
        ['1.0.0-beta.1', {}],
        ['1.0.0+build', {}],
        ['1.0.0-0test', {}],
        ['1.0.0', { dependencies: [{ id: 'y', range: '[1.0.0-beta.1, )' }] }],
      ])('hides %s with %j (spec nuget-v2 12.3)', async (version, parts) => {
        await add('x', version, parts);

        expect(await names({ view: 'semver1' })).toEqual([]);
        expect(await catalog.count({ ...everything, view: 'semver1' })).toBe(0);
        expect(await names({ view: 'semver2' })).toEqual([`x ${version}`]);
        expect(await catalog.find('x', version, 'semver1')).toMatchObject({
          version,
          isAbsoluteLatest: false,
        });
      });
    });

    describe('query', () => {
      it('finds exactly one id, in the order of versions', async () => {
        for (const version of ['1.9.0', '1.10.0', '1.10.0-rc.2', '1.10.0-rc.10', '1.10.0.1'])
          await add('git', version);
        await add('gitversion', '3.0.0');

        expect(await names({ id: 'GIT' })).toEqual([
          'git 1.10.0.1',
          'git 1.10.0',
          'git 1.10.0-rc.10',
          'git 1.10.0-rc.2',
          'git 1.9.0',
        ]);
        expect(await names({ id: '' })).toEqual([]);
      });

      it('applies every exclusion', async () => {
        for (const version of ['1.0.0', '1.1.0', '2.0.0-beta']) await add('x', version);
        await catalog.setListed('x', '1.1.0', false, operator);

        expect(await names({ includeUnlisted: false })).toEqual(['x 2.0.0-beta', 'x 1.0.0']);
        expect(await names({ includePrerelease: false })).toEqual(['x 1.1.0', 'x 1.0.0']);
        expect(await names({ includeUnlisted: false, includePrerelease: false })).toEqual(['x 1.0.0']);
      });

      it('pages without gaps or repetitions, and counts all pages', async () => {
        for (let n = 0; n < 61; n += 1) await add(`p${n}`, '1.0.0');
        const query = {
          ...everything,
          orderBy: [{ by: 'IsPrerelease' as const, descending: true }],
          take: 30,
        };

        const pages = [0, 30, 60, 90].map((skip) => names({ ...query, skip }));

        const [first = [], second = [], third = [], fourth] = await Promise.all(pages);
        expect([first.length, second.length, third.length, fourth?.length]).toEqual([30, 30, 1, 0]);
        expect(new Set([...first, ...second, ...third]).size).toBe(61);
        expect(await catalog.count({ ...query, skip: 30 })).toBe(61);
      });

      it('returns no rows for a page of size 0', async () => {
        await add('x', '1.0.0');

        expect(await names({ take: 0 })).toEqual([]);
      });

      it.each<[PackageQuery['orderBy'], string[]]>([
        [[], ['A 1.0.0', 'b 2.0.0', 'b 1.0.0']],
        [[{ by: 'Id', descending: true }], ['b 2.0.0', 'b 1.0.0', 'A 1.0.0']],
        [[{ by: 'Version', descending: true }], ['b 2.0.0', 'A 1.0.0', 'b 1.0.0']],
        [[{ by: 'NormalizedVersion', descending: false }], ['A 1.0.0', 'b 1.0.0', 'b 2.0.0']],
        [
          [
            { by: 'DownloadCount', descending: true },
            { by: 'Id', descending: false },
          ],
          ['b 2.0.0', 'b 1.0.0', 'A 1.0.0'],
        ],
        [[{ by: 'VersionDownloadCount', descending: true }], ['b 1.0.0', 'A 1.0.0', 'b 2.0.0']],
      ])('orders by %j', async (orderBy, expected) => {
        for (const [id, version] of [
          ['b', '1.0.0'],
          ['A', '1.0.0'],
          ['b', '2.0.0'],
        ] as const)
          await add(id, version);
        catalog.countDownload('b', '1.0');
        await catalog.flush();

        expect(await names({ orderBy })).toEqual(expected);
      });

      it('refuses a filter whose types do not match', async () => {
        await expect(catalog.query({ ...everything, where: property('Id') })).rejects.toMatchObject({
          code: 'QUERY_INVALID',
        });
      });
    });

    describe('filter', () => {
      beforeEach(async () => {
        await add('Git', '2.0.0', { title: 'Git Ünicode', tags: ['VCS', 'Admin'] });
        await add('gitversion', '5.0', { tags: ['vcs'] });
        await add('notags', '1.0.0-beta.1', { summary: "it's 100% _fine_" });
      });

      it.each<[string, Expression, string[]]>([
        ['tolower(Id) eq', compare(call('tolower', property('Id')), 'eq', text('git')), ['Git']],
        ['Id eq in another case', compare(property('Id'), 'eq', text('GIT')), ['Git']],
        ['substringof on Id', call('substringof', text('GIT'), property('Id')), ['Git', 'gitversion']],
        ['startswith on Id', call('startswith', property('Id'), text('gitv')), ['gitversion']],
        ['endswith on Id', call('endswith', property('Id'), text('TAGS')), ['notags']],
        ['Tags in another case', call('substringof', text('vcs'), property('Tags')), ['Git', 'gitversion']],
        [
          'a first tag between blanks',
          call('substringof', text(' vcs '), property('Tags')),
          ['Git', 'gitversion'],
        ],
        [
          'a last tag between blanks',
          call('substringof', text(' admin '), call('tolower', property('Tags'))),
          ['Git'],
        ],
        ['a part of a tag between blanks', call('substringof', text(' vc '), property('Tags')), []],
        ['a tag between blanks as a beginning', call('startswith', property('Tags'), text(' vcs')), []],
        ['Title ordinally', call('substringof', text('git'), property('Title')), []],
        ['Title folded', call('substringof', text('git ü'), call('tolower', property('Title'))), ['Git']],
        ['wildcards of SQL as text', call('substringof', text('0% _f'), property('Summary')), ['notags']],
        ['a quote as text', call('substringof', text("it's"), property('Summary')), ['notags']],
        ['Version eq', compare(property('Version'), 'eq', text('5.0.0.0')), ['gitversion']],
        ['Version eq without metadata', compare(text('2.0+x'), 'eq', property('Version')), ['Git']],
        [
          'NormalizedVersion ge',
          compare(property('NormalizedVersion'), 'ge', text('1.0')),
          ['Git', 'gitversion'],
        ],
        ['NormalizedVersion lt', compare(property('NormalizedVersion'), 'lt', text('1.0')), ['notags']],
        ['Version beside what is none', compare(property('Version'), 'eq', text('x')), []],
        ['null functions', call('substringof', text('x'), call('tolower', property('Tags'))), []],
        [
          'not over null',
          { kind: 'not', operand: call('substringof', text('x'), call('tolower', property('Tags'))) },
          ['Git', 'gitversion', 'notags'],
        ],
        ['eq null', compare(property('Tags'), 'eq', { kind: 'null' }), ['notags']],
        ['ne null', compare(property('Tags'), 'ne', { kind: 'null' }), ['Git', 'gitversion']],
        [
          'a function eq true',
          compare(call('substringof', text('vcs'), property('Tags')), 'eq', { kind: 'boolean', value: true }),
          ['Git', 'gitversion'],
        ],
        ['IsApproved', property('IsApproved'), ['Git', 'gitversion', 'notags']],
        ['IsDownloadCacheAvailable', property('IsDownloadCacheAvailable'), []],
        [
          'and false',
          { kind: 'and', left: property('Listed'), right: { kind: 'boolean', value: false } },
          [],
        ],
        [
          'IsPrerelease eq false',
          compare(property('IsPrerelease'), 'eq', { kind: 'boolean', value: false }),
          ['Git', 'gitversion'],
        ],
        [
          'length',
          compare(call('length', property('Id')), 'gt', { kind: 'number', value: 6 }),
          ['gitversion'],
        ],
        ['a date', compare(property('Created'), 'lt', { kind: 'date', value: '2025-12-31T23:59:59Z' }), []],
      ])('understands %s', async (_what, where, ids) => {
        const rows = await catalog.query({ ...everything, where });

        expect(rows.map((row) => row.id)).toEqual(ids);
        expect(await catalog.count({ ...everything, where })).toBe(ids.length);
      });

      it('treats an unlisted version as published in 1900, as clients do', async () => {
        await catalog.setListed('git', '2.0', false, operator);
        const old = compare(property('Published'), 'lt', { kind: 'date', value: '1901-01-01T00:00:00Z' });

        expect(await names({ where: old })).toEqual(['Git 2.0.0']);
        expect((await catalog.find('git', '2.0.0'))?.published).toEqual(new Date('2026-01-01T00:00:00Z'));
      });
    });

    describe('search', () => {
      beforeEach(async () => {
        await add('abuf', '1.0.0', { description: 'Nothing.' });
        await add('buf', '1.0.0', { title: 'Protocol Buffers', tags: ['Go'], summary: 'Ünique' });
        await add('buffalo', '1.0.0', { description: 'Web framework in GO' });
      });

      it.each([
        [['buf'], ['buf', 'abuf', 'buffalo']],
        [['BUF'], ['buf', 'abuf', 'buffalo']],
        [['go'], ['buf', 'buffalo']],
        [
          ['buf', 'go'],
          ['buf', 'buffalo'],
        ],
        [['protocol'], ['buf']],
        [['üNIQUE'], ['buf']],
        [['framework', 'protocol'], []],
        [['%'], []],
        [[], ['abuf', 'buf', 'buffalo']],
      ])('for %j finds %j', async (search, ids) => {
        const rows = await catalog.query({ ...everything, search });

        expect(rows.map((row) => row.id)).toEqual(ids);
        expect(await catalog.count({ ...everything, search })).toBe(ids.length);
      });

      it('keeps a requested order by Id', async () => {
        expect(await names({ search: ['buf'], orderBy: [{ by: 'Id', descending: false }] })).toEqual([
          'abuf 1.0.0',
          'buf 1.0.0',
          'buffalo 1.0.0',
        ]);
      });
    });

    describe('package types', () => {
      const types = (...named: string[]) => ({ packageTypes: named.map((name) => ({ name })) });
      beforeEach(async () => {
        await add('plain', '1.0.0');
        await add('tool', '1.0.0', types('DotnetTool'));
        await add('both', '1.0.0', types('Template', 'Dependency'));
        await add('tools', '1.0.0', types('DotnetToolset'));
      });

      it.each([
        [['dotnettool'], ['tool']],
        [['DEPENDENCY'], ['both', 'plain']],
        [
          ['Template', 'DotnetTool'],
          ['both', 'tool'],
        ],
        [['Tool'], []],
        [["x' OR 1 --"], []],
        [[], []],
      ])('%j match %j', async (packageTypes, ids) => {
        const query = { ...everything, packageTypes };

        expect((await catalog.query(query)).map(({ id }) => id)).toEqual(ids);
        expect(await catalog.count(query)).toBe(ids.length);
      });
    });

    it('returns ids that begin with a text first, page by page', async () => {
      for (const id of ['b.go', 'gopher', 'Go', 'ago', 'x']) await add(id, '1.0.0');
      const all = ['Go', 'gopher', 'ago', 'b.go', 'x'].map((id) => `${id} 1.0.0`);

      expect(await names({ idsFirst: 'GO' })).toEqual(all);
      expect(await names({ idsFirst: 'go', skip: 1, take: 3 })).toEqual(all.slice(1, 4));
      expect(await names({ idsFirst: 'go', after: { id: 'gopher', version: '1.0.0' } })).toEqual(
        all.slice(2),
      );
    });

    describe('setListed', () => {
      it('says whether it changed anything, and when', async () => {
        await add('x', '1.0.0');

        expect(await catalog.setListed('X', '1.0', false, operator)).toBe('changed');
        expect(await catalog.setListed('x', '1.0.0', false, operator)).toBe('unchanged');
        expect(await catalog.setListed('x', '2.0.0', false, operator)).toBe('missing');
        expect(await catalog.setListed('x', 'none', false, operator)).toBe('missing');
        expect(await catalog.find('x', '1.0.0')).toMatchObject({ isListed: false, lastEdited: editedAt });
      });
    });

    describe('purge', () => {
      it('does not disturb a long list in progress, except for the purged version', async () => {
        const versions = Array.from({ length: 200 }, (_one, n) => `1.0.${n}`);
        const description = (version: string): string => `${version} ${'long '.repeat(20_000)}`;
        await Promise.all(
          versions.map((version) => add('leaky', version, { description: description(version) })),
        );

        const asked = names({ id: 'leaky' });
        await catalog.purge('leaky', '1.0.0', operator, 'a law');
        await catalog.purge('leaky', '1.0.199', operator, 'a law');
        await add('leaky', '1.0.200', { description: 'in the place of another' });

        const found = await asked;
        expect(found).toEqual(
          expect.arrayContaining(versions.slice(1, -1).map((version) => `leaky ${version}`)),
        );
        if (!isRemote) expect(found).not.toContain('leaky 1.0.199');
        expect((await catalog.find('leaky', '1.0.200'))?.nuspec.description).toBe('in the place of another');
      });
    });

    describe('versionsOf', () => {
      const numbers = ['1.0.0', '1.0.1', '1.1.0-beta', '1.1.0-beta.2', '2.0.0+build', '10.0.0'];

      it.each(
        (['semver1', 'semver2'] as const).flatMap((view) =>
          [true, false].flatMap((includePrerelease) =>
            [1, 3, 1000].map((each) => ({ view, includePrerelease, each })),
          ),
        ),
      )(
        'shows what a query for each id shows: $view, prereleases $includePrerelease, $each each',
        async (asked) => {
          for (const id of ['Many', 'few', 'other.Tool']) {
            for (const version of id === 'few' ? ['0.1.0'] : numbers) await add(id, version);
          }
          await catalog.setListed('many', '10.0.0', false, operator);
          catalog.countDownload('many', '1.0.1');
          await catalog.flush();
          const { view, includePrerelease, each } = asked;

          const found = await catalog.versionsOf(
            ['MANY', 'few', 'nobody', 'Other.Tool'],
            { view, includePrerelease },
            each,
          );

          expect([...found.keys()].sort()).toEqual(['few', 'many', 'other.tool']);
          for (const [id, versions] of found) {
            const rows = await catalog.query({
              ...everything,
              view,
              id,
              includePrerelease,
              includeUnlisted: false,
              orderBy: [{ by: 'Version', descending: true }],
              take: each,
            });
            expect(versions).toEqual(
              rows.map((row) => ({
                id: row.id,
                version: row.version,
                normalizedVersion: row.normalizedVersion,
                versionDownloads: row.versionDownloads,
              })),
            );
          }
        },
      );

      it('reads thousands of versions', async () => {
        const ids = Array.from({ length: 300 }, (_, n) => `id${n}`);
        for (const id of ids) await add(id, '1.0.0');
        const found = await catalog.versionsOf(ids, { view: 'semver2', includePrerelease: true }, 10);
        expect(new Map([...found].map(([id, [first]]) => [id, first?.version]))).toEqual(
          new Map(ids.map((id) => [id, '1.0.0'])),
        );
      });
    });

    describe('countDownload', () => {
      it('counts by version and by id once it was flushed', async () => {
        await add('x', '1.0.0');
        await add('x', '2.0.0');
        for (const version of ['1.0', '1.0.0', '2.0.0', '9.9.9', 'none']) catalog.countDownload('X', version);

        await catalog.flush();

        expect(await catalog.find('x', '1.0.0')).toMatchObject({ downloads: 3, versionDownloads: 2 });
        expect(await catalog.find('x', '2.0.0')).toMatchObject({ downloads: 3, versionDownloads: 1 });
      });

      it('counts each download once, however often it is flushed', async () => {
        await add('x', '1.0.0');
        catalog.countDownload('x', '1.0.0');

        await catalog.flush();
        await catalog.flush();

        expect(await catalog.find('x', '1.0.0')).toMatchObject({ downloads: 1 });
      });
    });

    describe('revisions', () => {
      const numbers = async () => fixture.revisions.known() ?? (await fixture.revisions.read());
      const download = async (id: string) => {
        catalog.countDownload(id, '1.0.0');
        await catalog.flush();
      };

      it('grow with each change and only then', async () => {
        const seen: number[] = [];
        const note = async () => seen.push((await numbers()).all());
        await note();
        await add('x', '1.0.0');
        await note();
        await catalog.setListed('x', '1.0.0', false, operator);
        await note();
        await download('x');
        await note();
        expect(new Set(seen).size).toBe(4);
        expect(seen.toSorted((a, b) => a - b)).toEqual(seen);

        const before = (await numbers()).all();
        await add('x', '1.0.0');
        await catalog.setListed('x', '1.0.0', false, operator);
        await catalog.flush();
        await catalog.query(everything);
        expect((await numbers()).all()).toBe(before);
      });

      it('include a change of an id, in any case, as soon as it is confirmed', async () => {
        for (const change of [
          () => add('Go', '1.0.0'),
          () => catalog.setListed('go', '1.0.0', false, operator),
          () => catalog.purge('GO', '1.0.0', operator, 'leaked'),
        ]) {
          const before = await numbers();
          const [all, packages] = [before.all('go'), before.packages('go')];

          await change();

          const after = await numbers();
          expect(after.all('GO')).toBeGreaterThan(all);
          expect(after.packages('Go')).toBeGreaterThan(packages);
          expect(after.all()).toBeGreaterThanOrEqual(after.all('go'));
        }
      });

      it('leave downloads out of the numbers for packages', async () => {
        await add('go', '1.0.0');
        const before = (await numbers()).packages('go');

        await download('go');

        expect((await numbers()).packages('go')).toBe(before);
        expect((await numbers()).all('go')).toBeGreaterThan(before);
      });
    });
  });
}

export const everything: PackageQuery = {
  view: 'semver2',
  includeUnlisted: true,
  includePrerelease: true,
  orderBy: [],
  skip: 0,
  take: 1000,
};

function property(name: QueryProperty): Expression {
  return { kind: 'property', name };
}

function text(value: string): Expression {
  return { kind: 'text', value };
}

function call(name: Extract<Expression, { kind: 'call' }>['name'], ...args: Expression[]): Expression {
  return { kind: 'call', name, args };
}

function compare(
  left: Expression,
  operator: Extract<Expression, { kind: 'compare' }>['operator'],
  right: Expression,
): Expression {
  return { kind: 'compare', operator, left, right };
}
