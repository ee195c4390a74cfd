import fc from 'fast-check';

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
