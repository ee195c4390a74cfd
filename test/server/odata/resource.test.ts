import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedError } from '../../../server/errors.ts';
import { parseResource } from '../../../server/odata/resource.ts';

const delve = { kind: 'package', id: 'delve', version: '1.22.0' };

describe('the address of a resource', () => {
  it.each([
    ['', { kind: 'service' }],
    ['/', { kind: 'service' }],
    ['///', { kind: 'service' }],
    ['/$metadata', { kind: 'metadata' }],
    ['/%24metadata', { kind: 'metadata' }],
    ['/package-ids', { kind: 'ids' }],
    ['/Package-Ids/', { kind: 'ids' }],
    ['/package-versions/d%C3%A9', { kind: 'versions', id: 'dé' }],
    ['/Packages', { kind: 'collection', collection: 'Packages', isCount: false }],
    ['/Packages()', { kind: 'collection', collection: 'Packages', isCount: false }],
    ['/Packages( )/', { kind: 'collection', collection: 'Packages', isCount: false }],
    ['/Packages()/$count', { kind: 'collection', collection: 'Packages', isCount: true }],
    ['/Packages/$count', { kind: 'collection', collection: 'Packages', isCount: true }],
    ['/Search()', { kind: 'collection', collection: 'Search', isCount: false }],
    ['/search/%24Count', { kind: 'collection', collection: 'Search', isCount: true }],
    ['//FindPackagesById()', { kind: 'collection', collection: 'FindPackagesById', isCount: false }],
    ['/findpackagesbyid', { kind: 'collection', collection: 'FindPackagesById', isCount: false }],
    ['/GetUpdates%28%29', { kind: 'collection', collection: 'GetUpdates', isCount: false }],
    ["/Packages(Id='delve',Version='1.22.0')", delve],
    ['/Packages(Id=%27delve%27,Version=%271.22.0%27)', delve],
    ["/Packages(Version='1.22.0',Id='delve')", delve],
    ["/Packages(Id='delve',%20Version='1.22.0')", delve],
    ["/packages( id = 'delve' , version = '1.22.0' )", delve],
    ['/Packages(Id=delve,Version=1.22.0)', delve],
    ['/Packages(Id= delve , Version= 1.22.0 )', delve],
    ["/Packages(Id='delve',Version='1.22.0')/Id", { ...delve, part: 'Id' }],
    ["/Packages(Id='delve',Version='1.22.0')/version", { ...delve, part: 'Version' }],
    ["/Packages(Id='delve',Version='1.22.0')/$value", { ...delve, part: '$value' }],
    ["/Packages(Id='delve',Version='1.22.0')/Download", { ...delve, part: 'Download' }],
    ["/Packages(Id='a''b',Version='1.0.0+x')", { kind: 'package', id: "a'b", version: '1.0.0+x' }],
    ["/Packages(Id='a,b=(c)',Version='1.0.0%2Bx')", { kind: 'package', id: 'a,b=(c)', version: '1.0.0+x' }],
    ["/Packages(Id='d%C3%A9',Version='1')", { kind: 'package', id: 'dé', version: '1' }],
  ])('%s is understood', (path, resource) => {
    expect(parseResource(path)).toEqual(resource);
  });

  it.each([
    '/package/delve/1.22.0',
    '/package-ids/delve',
    '/package-versions',
    '/package-versions/delve/1.22.0',
    '/package/Packages/1.0.0',
    '/delve/1.22.0',
    '/Packages/1.0.0',
    '/Packages()/Id',
    '/Packages()/$count/more',
    '/$metadata/more',
    '/$batch',
    '/symbolpackage',
    '/Owners()',
    "/Packages(Id='delve',Version='1.22.0')/Title",
    '/Packages-of-mine(1)/2',
  ])('%s is left to other routes', (path) => {
    expect(parseResource(path)).toBeUndefined();
  });

  it.each([
    ["/Packages('delve')", "expected Packages(Id='...',Version='...')"],
    ["/Packages(Id='delve')", "expected Packages(Id='...',Version='...')"],
    ["/Packages(Id='delve',Version='1',Id='x')", "expected Packages(Id='...',Version='...')"],
    ["/Packages(Id='delve',Version='1',Title='x')", "expected Packages(Id='...',Version='...')"],
    ["/Packages(Id='',Version='1')", "expected Packages(Id='...',Version='...')"],
    ["/Packages(Id='delve,Version='1')", "expected Packages(Id='...',Version='...')"],
    ["/Packages(Id='delve',Version='1'", 'not well formed'],
    ['/Search()x', 'not well formed'],
    ["/Search(searchTerm='x')", 'Search takes its parameters in the query'],
    ['/Packages%', 'percent sign'],
    ['/%C3%28', 'percent sign'],
  ])('%s is refused with the reason', (path, reason) => {
    expect(() => parseResource(path)).toThrowError(
      expect.objectContaining({ code: 'PATH_INVALID', message: expect.stringContaining(reason) }),
    );
  });

  it('throws nothing but PATH_INVALID, whatever the address', () => {
    const piece = fc.constantFrom(
      '/',
      'Packages',
      '(',
      ')',
      "'",
      'Id=',
      'Version=',
      ',',
      '%27',
      '%',
      ' ',
      '$count',
    );
    const path = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(path, (text) => {
        try {
          parseResource(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FeedError);
          expect(error).toHaveProperty('code', 'PATH_INVALID');
        }
      }),
    );
  });

  it('finds every id and version that is quoted and escaped', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    const quoted = (value: string) => `'${encodeURIComponent(value).replaceAll("'", "''")}'`;
    fc.assert(
      fc.property(text, text, (id, version) => {
        expect(parseResource(`/Packages(Id=${quoted(id)},Version=${quoted(version)})`)).toEqual({
          kind: 'package',
          id,
          version,
        });
      }),
    );
  });
});
