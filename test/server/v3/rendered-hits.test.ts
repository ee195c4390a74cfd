import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { joinBody } from '../../../server/http/body.ts';
import { v3Links } from '../../../server/v3/links.ts';
import { readParameters } from '../../../server/v3/parameters.ts';
import { search } from '../../../server/v3/search.ts';
import { makePackage } from '../../kit/new-package.ts';

const ids = ['go', 'Go.Lint', 'delve'] as const;
const versions = ['1.0.0', '1.1.0-beta.1', '2.0.0', '2.1.0+x'] as const;
const steps = fc.record({
  what: fc.constantFrom('add', 'add', 'unlist', 'relist', 'download', 'purge'),
  id: fc.constantFrom(...ids),
  version: fc.constantFrom(...versions),
});

const db = openDatabase(':memory:');
const catalog = createSqlCatalog(db, () => new Date());
afterAll(() => db.close());

async function answer(query: string, isKept: boolean): Promise<string> {
  const revisions = isKept ? catalog.revisions : { known: () => undefined };
  const links = v3Links('https://feed.corp');
  const { json } = await search(readParameters(`/search?${query}`), { catalog, revisions, links });
  return String(joinBody(json));
}

describe('a hit that is rendered once', () => {
  it('equals one that is rendered for each answer, whatever changed before', async () => {
    let purges = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 3 }), async (all) => {
        for (const { what, id, version } of all) {
          if (what === 'add') await catalog.add(makePackage({ id, version, tags: ['go'] }), operator);
          else if (what === 'purge') {
            // A purged version never comes back.
            purges += 1;
            if (purges % 15 === 0) await catalog.purge(id, version, operator, 'a test');
          } else if (what === 'download') {
            catalog.countDownload(id, version);
            await catalog.flush();
          } else await catalog.setListed(id, version, what === 'relist', operator);
        }
        for (const query of ['q=go', 'q=', 'q=go&prerelease=true&semVerLevel=2.0.0', 'q=delve&take=1']) {
          const anew = await answer(query, false);
          expect(await answer(query, true)).toBe(anew);
          expect(await answer(query, true)).toBe(anew);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is not reused for another address of the server', async () => {
    await catalog.add(makePackage({ id: 'delve', version: '9.0.0' }), operator);
    const at = async (root: string) => {
      const services = { catalog, revisions: catalog.revisions, links: v3Links(root) };
      const { json } = await search(readParameters('/search?q=packageid:delve'), services);
      return String(joinBody(json));
    };
    expect(await at('https://one.corp')).toContain('https://one.corp/v3/reg');
    expect(await at('https://two.corp')).not.toContain('one.corp');
  });
});
