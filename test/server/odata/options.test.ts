import { describe, expect, it } from 'vitest';
import { readOptions } from '../../../server/odata/options.ts';
import { parseParameters } from '../../../server/odata/parameters.ts';
import { pageOf, selectionOf } from '../../../server/odata/query.ts';

const optionsOf = (rawQuery: string) => readOptions(parseParameters(rawQuery));

describe('the options of a query', () => {
  // spec nuget-v2 12.3 and 18.1
  it.each([
    ['', 'semver1'],
    ['semVerLevel=', 'semver1'],
    ['semVerLevel=%20', 'semver1'],
    ['semVerLevel=a', 'semver1'],
    ['semVerLevel=0', 'semver1'],
    ['semVerLevel=1.0.0', 'semver1'],
    ['semVerLevel=1.9.9', 'semver1'],
    ['semVerLevel=2', 'semver2'],
    ['semVerLevel=2.0.0', 'semver2'],
    ["semVerLevel='2.0.0'", 'semver2'],
    ['semverlevel=2.0.1', 'semver2'],
    ['semVerLevel=2.0.0-rc.1', 'semver2'],
    ['semVerLevel=3.0.0-alpha', 'semver2'],
    ['semVerLevel=10.0.0', 'semver2'],
  ])('%s shows the %s view', (rawQuery, view) => {
    expect(optionsOf(rawQuery).view).toBe(view);
  });

  it("read the order in clients' spelling", () => {
    expect(optionsOf('$orderby=DownloadCount%20desc,Id').orderBy).toEqual([
      { by: 'DownloadCount', descending: true },
      { by: 'Id', descending: false },
    ]);
    expect(optionsOf('$orderby=+normalizedversion+DESC+,+Id+asc').orderBy).toEqual([
      { by: 'NormalizedVersion', descending: true },
      { by: 'Id', descending: false },
    ]);
  });

  it('ignore what belongs to others and what cannot change the rows', () => {
    const plain = optionsOf('$top=1');
    expect(
      optionsOf(
        "$top=1&hijack=false&packageSource=x&_=17&$select=Id,Foo&$format=atom&$expand=x&targetFramework='net45%7Cnetcoreapp1.0'",
      ),
    ).toEqual(plain);
  });

  it.each([
    ['$top=x', '$top must be a whole number from 0, not "x"'],
    ['$top=', '$top must be'],
    ['$top=-1', '$top must be'],
    ['$top=1.5', '$top must be'],
    ['$skip=99999999999', '$skip must be'],
    ['$skip=1e3', '$skip must be'],
    ['$orderby=abc', '$orderby: "abc" is not a property'],
    ['$orderby=', '$orderby: "" is not a property'],
    ['$orderby=Id%20down', '$orderby: "Id down" is not a property'],
    ['$orderby=Id,,Version', '$orderby: "" is not a property'],
    [`$orderby=${Array(11).fill('Id').join(',')}`, 'more than 10 columns'],
    ['$inlinecount=some', '$inlinecount must be allpages or none'],
    ['includePrerelease=maybe', 'includePrerelease must be true or false'],
    ['$filter=', '$filter is malformed'],
    ['$filer=Listed', '$filer is not supported'],
    ['$skiptoken=1', 'from the next link of an answer'],
    ["$skiptoken='x'", 'from the next link of an answer'],
    ["$skiptoken='x','1.0.0','2'", 'from the next link of an answer'],
    ["semVerLevel='2", 'semVerLevel has no closing quote'],
  ])('%s is refused', (rawQuery, reason) => {
    expect(() => optionsOf(rawQuery)).toThrowError(
      expect.objectContaining({ code: 'QUERY_INVALID', message: expect.stringContaining(reason) }),
    );
  });

  // spec nuget-v2 9.7
  it.each([
    ['', { skip: 0, size: 100, isLast: false, top: undefined }],
    ['$skip=100', { skip: 100, size: 100, isLast: false, top: undefined }],
    ['$top=30&$skip=60', { skip: 60, size: 30, isLast: true, top: 30 }],
    ['$top=0', { skip: 0, size: 0, isLast: true, top: 0 }],
    ['$top=6000', { skip: 0, size: 6000, isLast: true, top: 6000 }],
    ['$top=6001', { skip: 0, size: 6000, isLast: false, top: 6001 }],
  ])('%s make a page', (rawQuery, page) => {
    expect(pageOf(optionsOf(rawQuery))).toEqual(page);
  });
});

describe('the selection of a collection', () => {
  const select = (collection: 'Packages' | 'FindPackagesById' | 'Search', rawQuery: string) => {
    const parameters = parseParameters(rawQuery);
    return selectionOf(collection, readOptions(parameters), parameters);
  };

  it('is everything for Packages, whatever includePrerelease says', () => {
    expect(select('Packages', 'includePrerelease=false')).toEqual({
      view: 'semver1',
      orderBy: [],
      includeUnlisted: true,
      includePrerelease: true,
    });
  });

  it('is one id with its unlisted versions for FindPackagesById', () => {
    expect(select('FindPackagesById', "id='Delve'&semVerLevel=2.0.0&$filter=Listed")).toEqual({
      view: 'semver2',
      orderBy: [],
      id: 'Delve',
      includeUnlisted: true,
      includePrerelease: true,
      where: { kind: 'property', name: 'Listed' },
    });
    expect(select('FindPackagesById', "id=''")).toMatchObject({ id: '' });
    expect(() => select('FindPackagesById', '')).toThrow("FindPackagesById() needs id='...'");
  });

  it('is what is listed and has all the words for Search', () => {
    expect(select('Search', "searchTerm='%20go%20%20debugger%20'&includePrerelease=True")).toEqual({
      view: 'semver1',
      orderBy: [],
      search: ['go', 'debugger'],
      includeUnlisted: false,
      includePrerelease: true,
    });
    expect(select('Search', '')).toMatchObject({ search: [], includePrerelease: false });
    expect(() => select('Search', `searchTerm=${'x+'.repeat(31)}`)).toThrow('more than 30 words');
  });
});
