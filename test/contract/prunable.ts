import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import type { Catalog } from '../../server/catalog/catalog.ts';
import type { HeldVersions } from '../../server/catalog/held.ts';
import type { NameFacts, Prunable } from '../../server/catalog/prunable.ts';
import { makePackage } from '../kit/new-package.ts';
import type { CatalogFixture } from './catalog.ts';

type PrunableFixture = CatalogFixture & { readonly catalog: Catalog & HeldVersions & Prunable };

/** How every catalog lists versions that may be pruned, and prunes them. `open` makes an empty one. */
export function describePrunable(name: string, open: () => Promise<PrunableFixture>): void {
  describe(`pruning in ${name}`, () => {
    let fixture: PrunableFixture;
    let catalog: PrunableFixture['catalog'];
    beforeEach(async () => {
      fixture = await open();
      catalog = fixture.catalog;
    });
    afterEach(() => fixture.close());

    const add = (id: string, ...versions: string[]) =>
      Promise.all(versions.map((version) => catalog.add(makePackage({ id, version }), operator)));
    const versionsOf = ({ versions }: NameFacts) => versions.map(({ version }) => version).sort();

    it('names what has prereleases, page by page', async () => {
      await add('stable', '1.0.0');
      for (let id = 0; id < 600; id += 100) await add(`Id.${id}`, '1.0.0-beta.1', '1.0.0');

      const found: string[] = [];
      for (let page = await catalog.prereleaseNames(''); page.length > 0; ) {
        found.push(...page);
        page = await catalog.prereleaseNames(page.at(-1) ?? '');
      }

      expect(found).toEqual(['id.0', 'id.100', 'id.200', 'id.300', 'id.400', 'id.500']);
    });

    it('lists all public versions of a name, in any case, and none that is held', async () => {
      await add('Delve', '1.0.0', '1.0.0-beta.1');
      await catalog.setListed('delve', '1.0.0-beta.1', false, operator);
      await catalog.hold(makePackage({ id: 'Delve', version: '1.1.0-beta.1' }), operator);

      const facts = await catalog.nameFacts('DELVE');

      expect(facts.name).toBe('Delve');
      expect(versionsOf(facts)).toEqual(['1.0.0', '1.0.0-beta.1']);
      expect(facts.versions.find(({ version }) => version === '1.0.0-beta.1')).toMatchObject({
        at: Date.UTC(2026, 0, 1),
        isListed: false,
        package: { sizeBytes: expect.any(Number) as number },
        payloads: [],
      });
      expect([facts.isPackage('dELVE'), facts.isPackage('dlv')]).toEqual([true, false]);
    });

    it('removes what is chosen from the facts, and nothing else', async () => {
      await add('Delve', '1.0.0', '1.0.0-beta.1', '1.0.0-beta.2', '1.1.0-beta.1');
      let seen: string[] = [];

      const is = await catalog.prune(
        'delve',
        (facts) => {
          seen = versionsOf(facts);
          return ['1.0.0-beta.1', '1.0.0-BETA.2', '7.0.0-beta.1'];
        },
        operator,
        'old',
      );

      expect(seen).toEqual(['1.0.0', '1.0.0-beta.1', '1.0.0-beta.2', '1.1.0-beta.1']);
      expect(is).toMatchObject({
        pruned: [{ files: ['Delve 1.0.0-beta.1'] }, { files: ['Delve 1.0.0-beta.2'] }],
        isPending: false,
      });
      expect(versionsOf(await catalog.nameFacts('delve'))).toEqual(['1.0.0', '1.1.0-beta.1']);
      expect(await catalog.isPurged('delve', '1.0.0-beta.1')).toBe(true);
      expect(await add('delve', '1.0.0-beta.1')).toEqual(['purged']);
      expect((await catalog.find('delve', '1.1.0-beta.1'))?.isAbsoluteLatest).toBe(true);
    });

    it('removes nothing where the bucket has moved since it was looked at', async () => {
      await add('delve', '1.0.0-beta.1');
      const choose = () => ['1.0.0-beta.1'];

      const is = await catalog.prune('delve', choose, operator, 'old', { generation: 7, id: 'x' });

      expect(is).toBe('overtaken');
      expect(await catalog.find('delve', '1.0.0-beta.1')).toBeDefined();
    });
  });
}
