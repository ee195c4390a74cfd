import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findNameProblem, nameKey } from '../../formats/zip-name.ts';

describe('Name in a zip', () => {
  it.each([
    '../evil.txt',
    'tools/../../evil.txt',
    'tools/..',
    '%2e%2e/evil.txt',
    'tools/%2E%2E%2f%2e%2e/evil.txt',
    'tools/%5c..%5cevil.txt',
    '/etc/passwd',
    '%2fetc/passwd',
    'C:/evil.txt',
    'C:evil.txt',
    '\\\\server\\share\\evil.txt',
    'tools\\evil.txt',
    'tools/a.exe:stream',
    'tools/a.exe%3Astream',
    'CON',
    'tools/con.txt',
    'tools/Aux',
    'NUL .txt',
    'lpt1.a.b',
    'com¹.txt',
    'tools/a.exe.',
    'tools/a.exe ',
    'tools./a.exe',
    './a.exe',
    'tools//a.exe',
    '/',
    'a\u0000b',
    'a\nb',
    'a%00b',
    'a*b',
    'a?b',
    'a|b',
    'a"b',
    'a%b',
    'x'.repeat(201),
    '',
  ])('is not safe as %j', (name) => {
    expect(findNameProblem(name)).toBeTypeOf('string');
  });

  it.each([
    ['/etc/passwd', 'it is empty or absolute'],
    ['../evil.txt', 'it climbs out of its folder or stays in place'],
    ['tools\\a', 'it has a backslash'],
    ['C:a', 'it has a colon'],
    ['a//b', 'it has an empty folder name'],
    ['a. ', 'a part of it ends in a dot or blank'],
    ['aux', 'it names a device of Windows'],
    ['a%', 'its percent-encoding is broken'],
  ])('is not safe as %j for the most helpful reason', (name, problem) => {
    expect(findNameProblem(name)).toBe(problem);
  });

  it.each([
    'tools/my%20file.txt',
    'tools/my file.txt',
    'tools/ünï.txt',
    'tools/a+b(c)[d]{e}.txt',
    'tools/..a',
    'tools/...a/b',
    'console.txt',
    'tools/com.txt',
    'package/services/metadata/core-properties/0123.psmdcp',
    '_rels/.rels',
    'tools/',
  ])('is safe as %j', (name) => {
    expect(findNameProblem(name)).toBeUndefined();
  });

  it('that is safe stays in its folder on Windows, decoded once or not at all', () => {
    const part = fc.constantFrom(
      'a',
      '.',
      '..',
      '...',
      '%2e',
      '%2E%2e',
      '%2f',
      '%5c',
      '/',
      '\\',
      ' ',
      '%20',
      ':',
      '%00',
      'con',
      '%',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const name = parts.join('');
        fc.pre(findNameProblem(name) === undefined);
        for (const form of [name, decodeURIComponent(name)]) {
          expect(form).not.toMatch(/(?:^|[\\/])\.{1,2}(?:[\\/]|$)|^[\\/]|[:\0\\]/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['tools/a.exe', 'Tools/A.EXE'],
    ['tools/a b', 'tools/a%20b'],
    ['tools/\u00e9', 'tools/e\u0301'],
    ['tools', 'tools/'],
  ])('%j is the same file as %j', (first, second) => {
    expect(nameKey(first)).toBe(nameKey(second));
  });

  it('is another file when it is spelled differently', () => {
    expect(nameKey('tools/a.exe')).not.toBe(nameKey('tools/b.exe'));
  });
});
