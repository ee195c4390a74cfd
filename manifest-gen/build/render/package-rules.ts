import type { Nuspec } from '../../../formats/nuspec.ts';

/**
 * The rules of Chocolatey's moderation for a package's metadata, as far as they make sense on a private feed, under their names
 * (docs.chocolatey.org, package-validator). Rules about install scripts do not apply; the packer keeps those about binaries
 * (CPMR0005, CPMR0006); addresses are checked where a nuspec is read.
 */
type Rule = {
  readonly name: string;
  readonly field: keyof Nuspec;
  /** What is expected, when it is not met. */
  readonly check: (nuspec: Nuspec) => string | undefined;
};

export type PackageFault = { readonly rule: string; readonly field: keyof Nuspec; readonly problem: string };

/** In characters. */
export const maxReleaseNotes = 35_000;

const rules: readonly Rule[] = [
  ruleOf(
    'CPMR0001',
    'copyright',
    ({ copyright }) => copyright === undefined || copyright.length >= 4,
    'has at least 4 characters, or is omitted',
  ),
  ruleOf('CPMR0002', 'description', ({ description }) => description !== undefined, 'is given'),
  ruleOf(
    'CPMR0007',
    'licenseUrl',
    (nuspec) => !nuspec.requireLicenseAcceptance || nuspec.licenseUrl !== undefined,
    'is given if the licence must be accepted',
  ),
  ruleOf('CPMR0009', 'projectUrl', ({ projectUrl }) => projectUrl !== undefined, 'is given'),
  ruleOf(
    'CPMR0014',
    'tags',
    ({ tags }) => tags.every((tag) => !tag.includes(',')),
    'are separated by spaces, not by commas',
  ),
  ...(['title', 'summary', 'description', 'authors', 'owners', 'copyright'] as const).map((field) =>
    ruleOf(
      'CPMR0019',
      field,
      (nuspec) => !isTemplated(nuspec[field] ?? ''),
      'contains no placeholder of a template',
    ),
  ),
  ...(['authors', 'copyright'] as const).map((field) =>
    ruleOf(
      'CPMR0020',
      field,
      (nuspec) => !/[^\s@<]+@[^\s@>]+\.[a-z]{2,}/i.test(nuspec[field] ?? ''),
      'contains no e-mail address',
    ),
  ),
  ruleOf('CPMR0023', 'tags', ({ tags }) => tags.length > 0, 'are given'),
  ruleOf(
    'CPMR0024',
    'id',
    ({ id }) => !/[-.](alpha|beta|prerelease)([-.]|$)/i.test(id),
    'names no prerelease',
  ),
  ruleOf(
    'CPMR0029',
    'id',
    ({ id }) => !/\.config$/i.test(id),
    'does not end in .config, which IIS refuses to serve',
  ),
  ruleOf(
    'CPMR0030',
    'description',
    ({ description = '' }) => !hasHeadingWithoutBlank(description),
    'has a space after the # of its headings',
  ),
  ruleOf(
    'CPMR0032',
    'description',
    ({ description = '' }) => description.length > 30,
    'says what the tool is, in more than 30 characters',
  ),
  ruleOf('CPMR0047', 'summary', ({ summary }) => summary !== undefined, 'is given'),
  ruleOf('CPMR0049', 'title', ({ title }) => title !== undefined, 'is given'),
  ...longest([
    ['title', 256],
    ['authors', 4000],
    ['summary', 4000],
    // CPMR0026; the others are what the gallery's own database holds
    ['description', 4000],
    ['copyright', 4000],
    ['releaseNotes', maxReleaseNotes],
  ]),
  ruleOf(
    'length',
    'tags',
    ({ tags }) => tags.join(' ').length <= 4000,
    'have at most 4000 characters in total',
  ),
];

/** All faults at once; empty when the package may be made. */
export function judgePackage(nuspec: Nuspec): readonly PackageFault[] {
  return rules.flatMap(({ name, field, check }) => {
    const problem = check(nuspec);
    return problem === undefined ? [] : [{ rule: name, field, problem }];
  });
}

function ruleOf(
  name: string,
  field: keyof Nuspec,
  holds: (nuspec: Nuspec) => boolean,
  expected: string,
): Rule {
  return { name, field, check: (nuspec) => (holds(nuspec) ? undefined : expected) };
}

type TextField = 'title' | 'authors' | 'summary' | 'description' | 'copyright' | 'releaseNotes';

function longest(limits: readonly (readonly [TextField, number])[]): readonly Rule[] {
  return limits.map(([field, limit]) => ({
    name: 'length',
    field,
    check: (nuspec) => {
      const { length } = nuspec[field] ?? '';
      return length <= limit ? undefined : `has at most ${limit} characters, not ${length}`;
    },
  }));
}

/** Of `choco new` and of nuget's own templates. Not just any braces: a tool may describe its templates. */
function isTemplated(text: string): boolean {
  return /__replace|space_separated|\$(id|version|author|title|description)\$/i.test(text);
}

/** `#Heading` is not rendered as a heading. In a block of code it is a comment. */
function hasHeadingWithoutBlank(markdown: string): boolean {
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
  return /^#{1,6}[^#\s]/m.test(prose);
}
