import { describe, expect, it } from 'vitest';
import type { Nuspec } from '../../../../formats/nuspec.ts';
import { judgePackage } from '../../../../manifest-gen/build/render/package-rules.ts';

const good: Nuspec = {
  id: 'bank-delve',
  version: '1.2.3',
  title: 'Delve',
  authors: 'Derek Parker',
  summary: 'Debugger for Go',
  description: 'A debugger for programs that are written in Go.\n\n## Use\n\n`dlv debug`',
  projectUrl: 'https://example.test',
  copyright: 'Copyright 2014',
  tags: ['go', 'debugger'],
  requireLicenseAcceptance: false,
  developmentDependency: false,
  dependencies: [],
};

function without(field: keyof Nuspec): Nuspec {
  const { [field]: _, ...rest } = good;
  return rest as Nuspec;
}

describe('the rules for metadata', () => {
  it('accept a complete package', () => {
    expect(judgePackage(good)).toEqual([]);
  });

  it.each<[string, keyof Nuspec, Nuspec]>([
    ['CPMR0001', 'copyright', { ...good, copyright: '(c)' }],
    ['CPMR0002', 'description', without('description')],
    ['CPMR0007', 'licenseUrl', { ...good, requireLicenseAcceptance: true }],
    ['CPMR0009', 'projectUrl', without('projectUrl')],
    ['CPMR0014', 'tags', { ...good, tags: ['go,', 'debugger'] }],
    ['CPMR0019', 'summary', { ...good, summary: '__REPLACE__' }],
    ['CPMR0019', 'description', { ...good, description: 'A tool that is called $id$ wherever it goes.' }],
    ['CPMR0020', 'authors', { ...good, authors: 'Ann <ann@example.test>' }],
    ['CPMR0020', 'copyright', { ...good, copyright: 'Copyright ann@example.test' }],
    ['CPMR0023', 'tags', { ...good, tags: [] }],
    ['CPMR0024', 'id', { ...good, id: 'delve-beta' }],
    ['CPMR0029', 'id', { ...good, id: 'delve.config' }],
    ['CPMR0030', 'description', { ...good, description: `${good.description}\n##Heading` }],
    ['CPMR0032', 'description', { ...good, description: 'A debugger.' }],
    ['CPMR0047', 'summary', without('summary')],
    ['CPMR0049', 'title', without('title')],
    ['length', 'title', { ...good, title: 'x'.repeat(257) }],
    ['length', 'summary', { ...good, summary: 'x'.repeat(4001) }],
    ['length', 'description', { ...good, description: 'x'.repeat(4001) }],
    ['length', 'releaseNotes', { ...good, releaseNotes: 'x'.repeat(35_001) }],
    ['length', 'tags', { ...good, tags: Array.from({ length: 500 }, () => 'debugger') }],
  ])('report by %s what is wrong with the %s', (rule, field, nuspec) => {
    expect(judgePackage(nuspec)).toContainEqual(expect.objectContaining({ rule, field }));
  });

  it.each<[string, Nuspec]>([
    [
      'a comment in a block of code',
      { ...good, description: `${good.description}\n\`\`\`\n#comment\n\`\`\`\n` },
    ],
    [
      'braces, which are a language of some tools',
      { ...good, description: `${good.description} {{ .Version }}` },
    ],
    ['a name that only holds such a word', { ...good, id: 'alphabeta-tool' }],
    ['4000 characters', { ...good, description: 'x'.repeat(4000) }],
  ])('accept %s', (_, nuspec) => {
    expect(judgePackage(nuspec)).toEqual([]);
  });

  it('report all faults at once', () => {
    const { title: _, ...rest } = good;
    const found = judgePackage({ ...rest, tags: [], authors: 'a@b.test' }).map(({ field }) => field);

    expect(found.toSorted()).toEqual(['authors', 'tags', 'title']);
  });
});
