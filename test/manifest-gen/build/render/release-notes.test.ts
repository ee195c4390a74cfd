import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNuspec, writeNuspec } from '../../../../formats/nuspec.ts';
import { isPermissive } from '../../../../manifest-gen/build/render/licenses.ts';
import { joinNotes, notesIn } from '../../../../manifest-gen/build/render/nuspec.ts';
import { maxReleaseNotes } from '../../../../manifest-gen/build/render/package-rules.ts';

const link = 'https://example.test/gadget/releases/v1.2.3';

describe('release notes', () => {
  it.each<[what: string, upstream: string, expected: string]>([
    ['stand before the link', '## Changes\n\n- one', `## Changes\n\n- one\n\n${link}`],
    ['have line ends of one kind', 'a\r\nb\rc', `a\nb\nc\n\n${link}`],
    ['lose blanks at line ends and around', '\n  a \t\nb  \n\n', `a\nb\n\n${link}`],
    ['lose what XML cannot hold', 'a\u0000\u0008\u001b[31mb\ufffe\uffff\tc', `a[31mb\tc\n\n${link}`],
    ['lose marks that turn the direction of reading', 'a\u202egpj.exe\u2066b', `agpj.exeb\n\n${link}`],
    ['keep whole characters only', `a\ud83d b \u{1f680}`, `a\ufffd b \u{1f680}\n\n${link}`],
    ['are the link alone where upstream says nothing', ' \r\n\u0007 ', link],
  ])('%s', (_, upstream, expected) => {
    expect(joinNotes(upstream, link)).toBe(expected);
  });

  it('are alone where the package has no notes of its own', () => {
    expect(joinNotes('a\n', undefined)).toBe('a');
    expect(joinNotes(' ', undefined)).toBeUndefined();
  });

  it('are cut after a whole line, with the link last', () => {
    const line = `- ${'x'.repeat(97)}\n`;

    const notes = joinNotes(line.repeat(400), link) ?? '';

    expect(notes.length).toBeLessThanOrEqual(maxReleaseNotes);
    expect(notes.length).toBeGreaterThan(maxReleaseNotes - 2 * line.length);
    expect(notes).toBe(`${line.repeat(349).trimEnd()}\n\n[...]\n\n${link}`);
  });

  it('are cut after a whole character where one line is too long', () => {
    const notes = joinNotes('\u{1f680}'.repeat(20_000), link) ?? '';

    expect(notes).toMatch(/^(\u{1f680})+\n\n\[\.\.\.\]\n\nhttps:/u);
    expect(notes.length).toBeLessThanOrEqual(maxReleaseNotes);
  });

  it('are found again in a nuspec, and the same when they are joined again', async () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom('\r', '\n', ' ', '\t', 'a', '\u0000', '\u202e', '\ud83d', ']]>', '&', '<'),
      }),
      fc.string({ unit: fc.constantFrom('word ', '\n', '\u{1f680}'), minLength: 9_000, maxLength: 12_000 }),
    );
    await fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom(undefined, link), async (upstream, own) => {
        const notes = joinNotes(upstream, own);
        const written = await readNuspec(
          writeNuspec({ ...nuspec, ...(notes === undefined ? {} : { releaseNotes: notes }) }),
        );

        expect(written.releaseNotes).toBe(notes);
        expect(notes?.length ?? 0).toBeLessThanOrEqual(maxReleaseNotes);
        const found = notesIn(notes, own);
        expect(found === undefined ? own : joinNotes(found, own)).toBe(notes);
      }),
    );
  });

  it.each([
    [undefined, link],
    [link, link],
    ['other words', link],
  ])('are not found in %s', (releaseNotes, own) => {
    expect(notesIn(releaseNotes, own)).toBeUndefined();
  });
});

describe('a licence that lets notes be passed on', () => {
  it.each([
    ['MIT', true],
    ['Apache-2.0', true],
    ['MIT OR Apache-2.0', true],
    ['GPL-3.0-only OR MIT', true],
    ['MIT AND BSD-3-Clause', true],
    ['MIT|GPL-2.0', true],
    ['MIT AND GPL-2.0-only', false],
    ['MIT,GPL-2.0-only', false],
    ['GPL-3.0-or-later', false],
    ['MPL-2.0', false],
    ['Apache-2.0 WITH LLVM-exception', false],
    ['(MIT OR GPL-2.0-only) AND MPL-2.0', false],
    ['Proprietary', false],
    ['', false],
  ])('%s: %s', (expression, expected) => {
    expect(isPermissive(expression)).toBe(expected);
  });
});

const nuspec = {
  id: 'gadget',
  version: '1.2.3',
  authors: 'Example',
  tags: [],
  requireLicenseAcceptance: false,
  developmentDependency: false,
  dependencies: [],
};
