import fc from 'fast-check';
import { parseNuGetRange } from '../../formats/nuget-range.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import type { NuspecDependency } from '../../formats/nuspec-dependencies.ts';

/** Texts of versions that are likely to be equal, to be prefixes of one another, or to differ in one respect only. */
const number = fc.oneof(
  fc.constantFrom('0', '1', '2', '9', '10', '01', '2147483647', '2147483646'),
  fc.nat({ max: 2_147_483_647 }).map(String),
);
const label = fc.oneof(
  fc.constantFrom(
    'beta',
    'BETA',
    'beta1',
    'beta2',
    'beta10',
    'alpha',
    'rc',
    'a',
    'Z',
    'z',
    '-',
    '--',
    '0a',
    'a-',
    'a-b',
  ),
  fc.constantFrom(
    '0',
    '1',
    '2',
    '10',
    '2147483647',
    '2147483648',
    '4294967296',
    '99999999999',
    '100000000000',
  ),
  fc.stringMatching(/^[0-9A-Za-z-]{1,12}$/).filter((text) => !/^0\d+$/.test(text)),
);
const numbers = fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const labels = fc
  .array(label, { maxLength: 4 })
  .map((parts) => (parts.length > 0 ? `-${parts.join('.')}` : ''));
const metadata = fc.constantFrom('', '', '', '+a', '+01.b', '+-');
export const versionText = fc.tuple(numbers, labels, metadata).map((parts) => parts.join(''));

const space = fc.constantFrom('', '', ' ', '  ');
/** Interval notation, with empty and absurd ones among them. */
export const rangeText = fc.oneof(
  versionText,
  versionText.map((version) => `[${version}]`),
  fc
    .tuple(
      fc.constantFrom('[', '('),
      space,
      fc.option(versionText, { nil: '' }),
      space,
      space,
      fc.option(versionText, { nil: '' }),
      fc.constantFrom(']', ')'),
    )
    .map(([open, a, low, b, c, high, close]) => `${open}${a}${low}${b},${c}${high}${close}`),
);

/** Text as a nuspec can hold it: trimmed, every character of XML, with those that need escaping among them. */
export const nuspecText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '&',
        '<',
        '>',
        '"',
        "'",
        ']]>',
        '&amp;',
        '&#0;',
        '\n',
        '\r',
        '\r\n',
        '\t',
        ' ',
        '<!--',
        '<?',
        '\u{1f600}',
      ),
      fc.string({ unit: 'grapheme' }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join('').trim())
  .filter((text) => text !== '');

const packageId = fc.stringMatching(/^\w{1,8}([._-]\w{1,8}){0,2}$/);
const address = fc
  .webUrl({ withQueryParameters: true, withFragments: true })
  .filter((url) => /^https?:\/\/[^\s<>"]+$/.test(url));
const framework = fc.constantFrom('net45', '.NETFramework4.7.2', '.NETStandard2.0', 'portable-net45+win8');
const validRange = rangeText.map((text) => text.trim()).filter((text) => parseNuGetRange(text) !== undefined);
const dependency = fc.record({ id: packageId, range: validRange }, { requiredKeys: ['id'] });
const flatDependencies = fc.array(dependency, { maxLength: 4 });
/** Members of a group stand together, as a nuspec has them; an empty group has a member without id. */
const groupedDependencies = fc
  .uniqueArray(framework, { maxLength: 3 })
  .chain((frameworks) => fc.tuple(...frameworks.map((name) => fc.tuple(fc.constant(name), flatDependencies))))
  .map((groups): NuspecDependency[] =>
    groups.flatMap(([targetFramework, members]): NuspecDependency[] =>
      members.length === 0
        ? [{ targetFramework, id: '' }]
        : members.map((member) => ({ targetFramework, ...member })),
    ),
  );

/** An attribute's line breaks and tabs come back as blanks, as XML says. */
const attributeText = nuspecText
  .map((text) => text.replace(/\s+/g, ' ').trim())
  .filter((text) => text !== '');

export const nuspecValue: fc.Arbitrary<Nuspec> = fc.record(
  {
    id: packageId,
    version: versionText,
    authors: nuspecText,
    tags: fc.array(
      nuspecText.map((text) => text.replace(/\s/g, '')).filter((text) => text !== ''),
      { maxLength: 3 },
    ),
    requireLicenseAcceptance: fc.boolean(),
    developmentDependency: fc.boolean(),
    dependencies: fc.oneof(flatDependencies, groupedDependencies),
    title: nuspecText,
    owners: nuspecText,
    description: nuspecText,
    summary: nuspecText,
    releaseNotes: nuspecText,
    copyright: nuspecText,
    language: fc.constantFrom('en-US', 'de'),
    projectUrl: address,
    licenseUrl: address,
    iconUrl: address,
    projectSourceUrl: address,
    packageSourceUrl: address,
    docsUrl: address,
    mailingListUrl: address,
    bugTrackerUrl: address,
    wikiUrl: address,
    minClientVersion: fc.constantFrom('2.5', '3.0.0-beta.1'),
    license: fc.record({ type: fc.constantFrom('expression' as const, 'file' as const), text: nuspecText }),
    icon: nuspecText,
    readme: nuspecText,
    packageTypes: fc.array(
      fc.record({ name: packageId, version: fc.constantFrom('1.0', '0.0') }, { requiredKeys: ['name'] }),
      { minLength: 1, maxLength: 3 },
    ),
    repository: fc.record(
      { type: fc.constant('git'), url: address, branch: attributeText, commit: attributeText },
      { requiredKeys: ['type'] },
    ),
    files: fc.array(
      fc.record({ src: fc.constantFrom('tools\\**', 'a&b.txt'), target: fc.constantFrom('', 'tools') }),
      { minLength: 1, maxLength: 2 },
    ),
  },
  {
    requiredKeys: [
      'id',
      'version',
      'authors',
      'tags',
      'requireLicenseAcceptance',
      'developmentDependency',
      'dependencies',
    ],
  },
);
