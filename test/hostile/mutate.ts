import fc from 'fast-check';

/** What parsers trip over: signs of every grammar here, ends of numbers, lies of encodings, and much of one thing. */
const tokens: readonly Buffer[] = [
  ...[
    "'",
    '"',
    '(',
    ')',
    '((((',
    '[',
    ']',
    '{',
    '}',
    '<',
    '>',
    '</',
    '/>',
    '&',
    '&amp;',
    '&#0;',
    ';',
    ',',
    '.',
    '..',
  ],
  ...[
    '/',
    '//',
    '\\',
    '%',
    '%00',
    '%2f',
    '%5c',
    '%2e%2e',
    '%252f',
    '%c0%af',
    '%ed%a0%80',
    '+',
    '*',
    '?',
    '#',
    '$',
    '=',
  ],
  ...[
    '\r\n',
    '\n',
    '\r\n\r\n',
    '\0',
    '\t',
    ' ',
    '\u007f',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u{1f600}',
    'e\u0301',
    'İ',
    'ſ',
  ],
  ...[
    '-',
    '0',
    '-1',
    '1e9',
    '2147483648',
    '9007199254740993',
    '99999999999999999999',
    '0x10',
    'NaN',
    'null',
    '__proto__',
  ],
  ...[
    ' not ',
    ' and ',
    ' or ',
    ' eq ',
    "datetime'",
    'tolower(',
    '<!DOCTYPE a [',
    '<!ENTITY',
    '<![CDATA[',
    ']]>',
    '<?',
    '<!--',
  ],
  ...[
    'PK\u0003\u0004',
    'PK\u0001\u0002',
    'PK\u0005\u0006',
    'bytes=',
    'http://',
    '0000',
    'ffff',
    '--b',
    'aux',
    'con.',
    ':x',
  ],
]
  .map((text) => Buffer.from(text))
  .concat([
    Buffer.from([0xc0, 0xaf]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0xff, 0xfe]),
    Buffer.alloc(4, 0xff),
  ]);

type Change = (bytes: Buffer) => Buffer;
type Cut = { readonly from: number; readonly length: number };

const maxBytes = 64 * 1024;

/** Inputs that are nearly one of the seeds: few changes each, so that they get past the first check. */
export function nearly(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  // Places are parts of the length, since that is known only when the change is made.
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  const token = fc.oneof(
    fc.constantFrom(...tokens),
    fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  );
  const cut = fc.record({
    from: part,
    length: fc.oneof(
      fc.constant(0),
      part.map((share) => share * share),
    ),
  });
  const change: fc.Arbitrary<Change> = fc.oneof<fc.MaybeWeightedArbitrary<Change>[]>(
    {
      weight: 4,
      arbitrary: fc.tuple(cut, token).map(
        ([at, by]) =>
          (bytes) =>
            replace(bytes, at, by),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(part, token).map(
        ([from, by]) =>
          (bytes) =>
            replace(bytes, { from, length: 0 }, by),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(part, fc.nat({ max: 255 })).map(
        ([at, value]) =>
          (bytes) =>
            overwrite(bytes, at, value),
      ),
    },
    { weight: 2, arbitrary: cut.map((at) => (bytes) => replace(bytes, at, Buffer.alloc(0))) },
    {
      weight: 1,
      arbitrary: fc.tuple(cut, fc.constantFrom(2, 3, 60, 2500)).map(
        ([at, times]) =>
          (bytes) =>
            repeat(bytes, at, times),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(part, fc.constantFrom(...seeds)).map(
        ([from, other]) =>
          (bytes) =>
            replace(bytes, { from, length: 1 }, other.subarray(Math.floor(from * other.length))),
      ),
    },
  );
  return fc.oneof(
    {
      weight: 20,
      arbitrary: fc
        .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 4 }))
        .map(([seed, changes]) => changes.reduce((bytes, one) => one(bytes).subarray(0, maxBytes), seed)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  );
}

function placeOf(bytes: Buffer, { from, length }: Cut): readonly [start: number, end: number] {
  const start = Math.floor(from * bytes.length);
  return [start, start + Math.ceil(length * (bytes.length - start))];
}

function replace(bytes: Buffer, cut: Cut, by: Buffer): Buffer {
  const [start, end] = placeOf(bytes, cut);
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);
}

function overwrite(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[Math.floor(at * (copy.length - 1))] = value;
  return copy;
}

function repeat(bytes: Buffer, cut: Cut, times: number): Buffer {
  const [start, end] = placeOf(bytes, cut);
  const unit = bytes.subarray(start, Math.max(end, start + 1)).subarray(0, maxBytes);
  const affordable = Math.min(times, Math.ceil(maxBytes / Math.max(1, unit.length)));
  return replace(bytes, cut, Buffer.concat(Array.from({ length: affordable }, () => unit)));
}
