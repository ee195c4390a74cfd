import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  Address,
  type Declaration,
  readDeclaration,
  Sha256,
  ToolName,
  ToolVersion,
  writeDeclaration,
} from '../../devbox/declaration.ts';
import { ExeName, type LockedValues } from '../../devbox/lock.ts';
import { readTemplates, renderFiles } from '../../devbox/render.ts';
import { productDir } from '../kit/test-server.ts';

const all = await readTemplates(productDir);
const templates = new Map([...all].filter(([, text]) => /\{\{\w+\}\}/.test(text)));

/** What a feed may say, in the forms that its pattern takes. */
const matching = (schema: { safeParse(text: string): { success: boolean } }, pattern: RegExp) =>
  fc.stringMatching(pattern).filter((text) => schema.safeParse(text).success);
const address = matching(
  Address,
  /^https?:\/\/[A-Za-z0-9.-]{1,20}(:\d{1,5})?(\/([A-Za-z0-9._~@!-]|%[0-9A-Fa-f]{2}){1,9}){0,3}$/,
);
const name = fc.oneof(
  matching(ToolName, /^[a-z0-9]{1,6}([._-][a-z0-9]{1,4}){0,2}$/),
  fc.constantFrom('null', 'true', 'no', '1e3', '0x10', '1.50', 'constructor', '123'),
);
const version = matching(
  ToolVersion,
  /^\d{1,4}(\.\d{1,4}){2,3}(-[0-9A-Za-z]{1,6}(\.[0-9A-Za-z]{1,6}){0,2})?$/,
);
const sha256 = matching(Sha256, /^[0-9a-f]{64}$/);

type Fixture = {
  readonly feed: string;
  readonly tools: Readonly<Record<string, string>>;
  readonly probe: string;
  readonly windows: { readonly url: string; readonly sha256: string };
};
const fixture: fc.Arbitrary<Fixture> = fc.record({
  feed: address.filter((feed) => !/\/(nuget|api\/v2|v3\/index\.json)$/i.test(feed)),
  tools: fc.dictionary(name, version, { maxKeys: 4, noNullPrototype: true }),
  probe: version,
  windows: fc.record({ url: address, sha256 }),
});

function declarationOf({ feed, tools, probe, windows }: Fixture): Declaration {
  const images = {
    linux: { base: 'golang:1.26.8-alpine', limit: 25 },
    windows: { base: 'mcr.microsoft.com/windows/servercore:ltsc2022', limit: 850 },
  };
  return { version: 1, feed, tools, probe, go: { version: '1.26.8', windows }, images };
}

function filesOf(values: Fixture): ReadonlyMap<string, string> {
  const { feed, probe, windows } = values;
  const nupkg = {
    version: probe,
    url: `${feed}/nuget/package/go-win-probe/${probe}`,
    sha256: windows.sha256,
  };
  const go = { version: '1.26.8', windows };
  const locked: LockedValues = { version: 1, feed, tools: {}, probe: nupkg, go };
  return renderFiles(templates, declarationOf(values), locked, '0.2.0');
}

/** The same with values that nobody can take for anything else. */
const usual: Fixture = {
  feed: 'https://feed.example.test',
  tools: {},
  probe: '0.2.0',
  windows: { url: 'https://proxy.example.test/go.zip', sha256: '6'.repeat(64) },
};

describe('values of a feed in the files of devbox:create', () => {
  it('are read from devbox.yaml as they were written', () => {
    fc.assert(
      fc.property(fixture, (values) => {
        const declaration = declarationOf(values);
        expect(readDeclaration(writeDeclaration(declaration), 'devbox.yaml')).toEqual(declaration);
      }),
    );
  });

  it('add no line to any file, and are texts in YAML and JSON', () => {
    fc.assert(
      fc.property(fixture, (values) => {
        const expected = filesOf({ ...usual, tools: values.tools });
        for (const [path, text] of filesOf(values)) {
          const other = expected.get(path) ?? '';
          expect(text.split('\n').length, path).toBe(other.split('\n').length);
          if (/\.(ya?ml|json)$/.test(path) && path !== 'devbox.yaml')
            expect(JSON.stringify(parse(text)), path).toBe(JSON.stringify(replaced(parse(other), values)));
        }
      }),
      { numRuns: 20 },
    );
  });

  const hostile = [
    ...[
      '',
      ' ',
      '-x',
      '--help',
      '"',
      "'",
      '`id`',
      '$(id)',
      ['$', '{HOME}'].join(''),
      ['$', '{{ github.token }}'].join(''),
      '{{feed}}',
      '%PATH%',
      '!x!',
    ],
    ...[
      'a\nRUN id',
      'a\r\nb',
      'a\0b',
      'a\u2028b',
      'a\u0085b',
      'a\u202Eb',
      'a b',
      'a\tb',
      'a;id',
      'a&b',
      'a|b',
      'a>b',
      'a#b',
    ],
    ...[
      'a: b',
      '&a b',
      '*a',
      '!!js x',
      '[a]',
      '{a: b}',
      'a\\b',
      '../../a',
      'CON',
      'a.',
      'a ',
      'x'.repeat(100_000),
    ],
  ];
  const around = (text: string): readonly string[] => [
    text,
    `1.2.3${text}`,
    `1.2.3-${text}`,
    `https://feed.example.test/${text}`,
    `https://${text}`,
    `${text}https://feed.example.test`,
    `delve${text}`,
    `${text}.exe`,
    `${'0'.repeat(64)}${text}`,
  ];
  it.each(Object.entries({ Address, Sha256, ToolName, ToolVersion, ExeName }))(
    'are refused where they could be more than a text: %s',
    (_name, schema) => {
      const taken = hostile.flatMap(around).filter((text) => schema.safeParse(text).success);
      // What is taken has no sign that any of the files gives a meaning to.
      expect(
        taken.filter((text) => !/^[A-Za-z0-9.:/_~@!%-]*$/.test(text) || /^-|%(?![0-9A-Fa-f]{2})/.test(text)),
      ).toEqual([]);
    },
  );
});

/** Every text with the values in place of the usual ones; versions stand in texts about the probe alone. */
function replaced(value: unknown, values: Fixture): unknown {
  if (typeof value === 'string') {
    const text = value
      .replaceAll(usual.feed, () => values.feed)
      .replaceAll(usual.windows.url, () => values.windows.url);
    return text.includes('go-win-probe') ? text.replaceAll(usual.probe, () => values.probe) : text;
  }
  if (Array.isArray(value)) return value.map((one) => replaced(one, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaced(one, values)]));
}
