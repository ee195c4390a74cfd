import { describe, expect, it } from 'vitest';
import { costOf } from '../../../../server/catalog/cost.ts';
import type { PackageQuery } from '../../../../server/catalog/query.ts';
import { estimate, maxMainThreadNs } from '../../../../server/catalog/sql/load.ts';
import { parseFilter } from '../../../../server/odata/filter.ts';
import { everything } from '../../../contract/catalog.ts';

const sizes = { versions: 165_000, ids: 5_000, textBytes: 500_000_000 };

function runsHere(query: Partial<PackageQuery>): boolean {
  const asked = { ...everything, take: 101, ...query };
  return estimate(asked, costOf(asked), sizes) <= maxMainThreadNs;
}

describe('in a feed of 165,000 versions with half a gigabyte of texts', () => {
  it.each([
    ['the versions of an id', { id: 'delve' }],
    ['the newest of an id, as choco asks', { where: "(tolower(Id) eq 'delve') and IsLatestVersion" }],
    ['the newest of an id, by function', { id: 'delve', where: "Id eq 'delve' and IsLatestVersion eq true" }],
    [
      'a range of versions of an id',
      {
        id: 'delve',
        where:
          "NormalizedVersion ge '1.0.0' and NormalizedVersion le '2.0.0' and IsPrerelease eq false and Id eq 'delve'",
      },
    ],
    ['the newest of all', { where: 'IsLatestVersion' }],
  ])('%s does not block the main thread', (_, { where, ...query }: { id?: string; where?: string }) => {
    expect(runsHere({ ...query, ...(where && { where: parseFilter(where) }) })).toBe(true);
  });

  it.each([
    "substringof('x',Id)",
    "substringof('x',Description)",
    "Id eq 'delve' and substringof('x',Summary)",
  ])('%s runs on the other thread', (where) => {
    expect(runsHere({ where: parseFilter(where) })).toBe(false);
  });
});
