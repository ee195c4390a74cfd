import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../formats/format-error.ts';
import { readNuspec } from '../../formats/nuspec.ts';
import { readXml } from '../../formats/xml.ts';

const mebibyte = 1024 * 1024;

describe('Untrusted XML', () => {
  it('is read into names, attributes, texts and children', async () => {
    expect(
      await readXml(
        '<?xml version="1.0"?><!-- a --><p:a x="1" p:y="&lt;"> t <b/>u<!-- c --><![CDATA[<v>]]></p:a>\n<!-- z -->',
      ),
    ).toEqual({
      name: 'a',
      attributes: new Map([
        ['x', '1'],
        ['p:y', '<'],
      ]),
      text: 't u<v>',
      children: [{ name: 'b', attributes: new Map(), text: '', children: [] }],
    });
  });

  it.each([
    ['a document type', '<!DOCTYPE a>\n<a/>', 'XML_DTD', 1, 1],
    [
      'an external entity',
      '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
      'XML_DTD',
      2,
      1,
    ],
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>', 'XML_DTD', 1, 1],
    ['a document type inside', '<a>\n  <!DOCTYPE a></a>', 'XML_DTD', 2, 3],
    ['an entity of HTML', '<a>\n\n x&nbsp;y</a>', 'XML_ENTITY', 3, 3],
    ['an entity in an attribute', '<a b="&x;"/>', 'XML_ENTITY', 1, 7],
    ['a bare ampersand', '<a>AT&T</a>', 'XML_ENTITY', 1, 6],
    ['a control character', '<a>x\n y\u0007</a>', 'XML_CHARACTER', 2, 3],
    ['a NUL', '<a>\u0000</a>', 'XML_CHARACTER', 1, 4],
    ['half a surrogate pair', '<a>\ud83d</a>', 'XML_CHARACTER', 1, 4],
    ['a noncharacter', '<a>\uffff</a>', 'XML_CHARACTER', 1, 4],
    ['a control character by number', '<a>&#x1;</a>', 'XML_CHARACTER', 1, 4],
    ['a surrogate by number', '<a>&#xD800;</a>', 'XML_CHARACTER', 1, 4],
    ['a number beyond Unicode', '<a>&#x110000;</a>', 'XML_CHARACTER', 1, 4],
    ['deep nesting', `${'<a>'.repeat(33)}${'</a>'.repeat(33)}`, 'XML_TOO_DEEP', 1, 97],
    ['too many elements', `<a>${'<b/>'.repeat(10_000)}</a>`, 'XML_TOO_MANY', 1, 40_000],
    ['a second root', '<a/>\n<b/>', 'XML_MALFORMED', 2, 1],
    ['text before the root', 'x<a/>', 'XML_MALFORMED', 1, 1],
    ['text after the root', '<a/>\n x', 'XML_MALFORMED', 2, 2],
    ['a tag that is not closed', '<a><b</a>', 'XML_MALFORMED', 1, 4],
    ['a quote that is not closed', '<a b="></a>', 'XML_MALFORMED', 1, 1],
    ['a comment that is not closed', '<a><!-- </a>', 'XML_MALFORMED', 1, 4],
    ['nothing', '', 'XML_MALFORMED', 1, 1],
    ['no element', '<!-- a -->', 'XML_MALFORMED', 1, 1],
  ])('with %s is refused at its position', async (_fault, xml, code, line, column) => {
    const error = await readXml(xml).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({ code, details: { line, column } });
    expect((error as FormatError).message).toContain(`line ${line}, column ${column}`);
  });

  it.each([
    ['tags that cross', '<a><b></a></b>'],
    ['a root that stays open', '<a>'],
    ['an end without a start', '</a>'],
    ['an attribute without value', '<a b/>'],
    ['a bad name', '<a><1/></a>'],
  ])('with %s is refused', async (_fault, xml) => {
    await expect(readXml(xml)).rejects.toMatchObject({ code: 'XML_MALFORMED' });
  });

  it('is refused when it is huge or in another encoding', async () => {
    await expect(readXml(`<a>${'x'.repeat(mebibyte)}</a>`)).rejects.toMatchObject({ code: 'XML_TOO_LARGE' });
    await expect(readXml(Buffer.from('<a>\xe4</a>', 'latin1'))).rejects.toMatchObject({
      code: 'XML_NOT_UTF',
    });
    await expect(readXml(Buffer.from([0xff, 0xfe, 0x00]))).rejects.toMatchObject({ code: 'XML_NOT_UTF' });
  });

  it('reads a text of almost the maximum size', async () => {
    const text = 'x'.repeat(mebibyte - 100);
    expect((await readXml(`<a>${text}</a>`)).text).toBe(text);
    expect((await readXml(`<a><![CDATA[${text}]]></a>`)).text).toBe(text);
  });

  // Each of these made a scan or a parser take time that grows with the square of the input; none may take the test's minute.
  it.each([
    ['brackets', '<'],
    ['open tags', '<a>'],
    ['end tags', '</a>'],
    ['comments that never close', '<!--x>'],
    ['CDATA that never closes', '<![CDATA[>'],
    ['instructions', '<?x y?>'],
    ['instructions that never close', '<?x>'],
    ['ampersands', '&'],
    ['references', '&amp;'],
    ['quotes', '"'],
    ['attributes', ' a="b"'],
    ['line ends', '\r\n'],
  ])('of a mebibyte of %s is read in limited time', async (_what, piece) => {
    const filling = piece.repeat(Math.floor((mebibyte - 100) / piece.length));
    for (const xml of [filling, `<a>${filling}</a>`, `<a ${filling}/>`, `<a b="${filling}`]) {
      await readXml(xml).catch((error: unknown) => expect(error).toBeInstanceOf(FormatError));
    }
  });

  it('does not confuse content with the entries of its parser or of objects', async () => {
    const names = ['constructor', '__proto__', 'hasOwnProperty', 'toString', '_', 'cdata', 'length'];
    const xml = `<a>${names.map((name) => `<${name} ${name}="1">x</${name}>`).join('')}<![CDATA[y]]></a>`;
    const { children, text } = await readXml(xml);
    expect(children.map((child) => [child.name, child.text])).toEqual(names.map((name) => [name, 'x']));
    expect(text).toBe('y');
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

describe('Untrusted XML, whatever it is', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '/',
    '<a',
    '<a>',
    '</a>',
    '<a/>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '<!DOCTYPE',
    '&',
    '&amp;',
    ';',
    '"',
    "'",
    '=',
    ' b="c"',
    '\u0000',
    '\ud800',
    '\n',
    ':',
    'x',
    '<package>',
    '<metadata>',
    '<id>',
    '</id>',
    '<version>1.0</version>',
    '</metadata>',
    '</package>',
  );

  it('is read or refused with a FormatError, as bytes and as text', async () => {
    const text = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, fc.uint8Array({ maxLength: 200 })), async (source) => {
        await readNuspec(source).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FormatError);
          // One visible line, since it becomes a reason phrase (spec nuget-v2 10.3).
          expect((error as FormatError).message).toMatch(/^[\x20-\x7e]+$/);
        });
      }),
      { numRuns: 2000 },
    );
  });
});
