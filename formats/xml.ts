import { parseStringPromise, processors } from 'xml2js';
import { FormatError, fail, isProgramFault, quoted, visible } from './format-error.ts';
import { textPosition } from './text-position.ts';

/** An element of a parsed document. Names have no prefix, so that a namespace's year does not matter. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Its own text including CDATA, trimmed. */
  readonly text: string;
  readonly children: readonly XmlElement[];
};

export type XmlLimits = { readonly maxBytes: number; readonly maxElements: number };

/** Enough for a nuspec; pages of other feeds need more. */
const nuspecLimits: XmlLimits = { maxBytes: 1024 * 1024, maxElements: 10_000 };
const maxDepth = 32;

/**
 * Reads untrusted XML. Everything that could trick a parser, or that it would let through (document types, entities, depth,
 * characters that XML forbids, a second root), is refused first by `inspect`, which knows the position; xml2js only sees harmless
 * text.
 * @throws FormatError XML_*
 */
export async function readXml(
  source: Uint8Array | string,
  { maxBytes, maxElements } = nuspecLimits,
): Promise<XmlElement> {
  const text = decode(source, maxBytes).replace(/\r\n?/g, '\n');
  inspect(text, maxElements);
  try {
    return toElement(await parseStringPromise(text, parserOptions));
  } catch (error) {
    throw error instanceof FormatError || isProgramFault(error) ? error : malformed(error);
  }
}

// Keys that no element name can equal, so that content never overwrites the parser's own entries.
const keys = { attributes: ' attributes', text: ' text', children: ' children', name: '#name' };
const parserOptions = {
  attrkey: keys.attributes,
  charkey: keys.text,
  childkey: keys.children,
  explicitRoot: false,
  explicitChildren: true,
  preserveChildrenOrder: true,
  tagNameProcessors: [processors.stripPrefix],
};

function decode(source: Uint8Array | string, maxBytes: number): string {
  const bytes = typeof source === 'string' ? Buffer.byteLength(source) : source.length;
  if (bytes > maxBytes) fail('XML_TOO_LARGE', { bytes, maxBytes });
  if (typeof source === 'string') return source.replace(/^\u{feff}/u, '');
  try {
    return new TextDecoder(encodingOf(source), { fatal: true }).decode(source);
  } catch (error) {
    return fail('XML_NOT_UTF', {}, error);
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

// Everything outside of XML's production Char; with the u flag a lone surrogate counts as a character.
const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
// A comment, CDATA, an instruction, another tag, or any other bracket. The walk stops at the first one that is not closed,
// so that no input is scanned twice.
const markup =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<\/?[^\s<>"'!?/](?:[^<>"']|"[^"<]*"|'[^'<]*')*>|</g;

/** Walks the markup once. @throws FormatError XML_* with the position of what is refused */
function inspect(text: string, maxElements: number): void {
  const at = text.search(forbidden);
  if (at >= 0) fail('XML_CHARACTER', { character: codePoint(text, at), ...textPosition(text, at) });

  let depth = 0;
  let elements = 0;
  let end = 0;
  for (const match of text.matchAll(markup)) {
    const [token] = match;
    inspectText(text, end, match.index, depth);
    end = match.index + token.length;
    if (token === '<') refuseBracket(text, match.index);
    if (token.startsWith('<!') || token.startsWith('<?')) continue;
    inspectReferences(text, match.index, end);
    if (token.startsWith('</')) {
      depth -= 1;
      continue;
    }
    elements += 1;
    if (depth === 0 && elements > 1) refuse('a second root element', text, match.index);
    if (elements > maxElements) fail('XML_TOO_MANY', { maxElements, ...textPosition(text, match.index) });
    if (depth >= maxDepth) fail('XML_TOO_DEEP', { maxDepth, ...textPosition(text, match.index) });
    if (!token.endsWith('/>')) depth += 1;
  }
  inspectText(text, end, text.length, depth);
  if (elements === 0) refuse('no element', text, 0);
}

function inspectText(text: string, start: number, end: number, depth: number): void {
  if (depth <= 0) {
    const at = text.slice(start, end).search(/\S/);
    if (at >= 0) refuse('text outside the root element', text, start + at);
  }
  inspectReferences(text, start, end);
}

const predefined = /^&(?:amp|lt|gt|quot|apos|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));$/;

function inspectReferences(text: string, start: number, end: number): void {
  for (const match of text.slice(start, end).matchAll(/&[^;&<\s]{0,40};?/g)) {
    const at = start + match.index;
    const known = predefined.exec(match[0]);
    if (known === null) fail('XML_ENTITY', { entity: quoted(match[0]), ...textPosition(text, at) });
    const [, decimal, hex] = known;
    if (decimal === undefined && hex === undefined) continue;
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    const isCharacter = code <= 0x10ffff && !forbidden.test(String.fromCodePoint(code));
    if (!isCharacter) fail('XML_CHARACTER', { character: match[0], ...textPosition(text, at) });
  }
}

function refuseBracket(text: string, at: number): never {
  if (text.startsWith('<!', at)) {
    const isDtd = /^<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/i.test(text.slice(at, at + 12));
    if (isDtd) fail('XML_DTD', textPosition(text, at));
  }
  refuse('markup that is not closed', text, at);
}

function refuse(problem: string, text: string, at: number): never {
  fail('XML_MALFORMED', { problem, ...textPosition(text, at) });
}

function codePoint(text: string, at: number): string {
  return `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** sax says "Unexpected close tag\nLine: 0\nColumn: 12\nChar: >", counting lines from 0. */
function malformed(error: unknown): FormatError {
  const message = error instanceof Error ? error.message : String(error);
  const [problem = ''] = message.split('\n');
  const line = Number(/Line: (\d+)/.exec(message)?.[1] ?? 0) + 1;
  const column = Number(/Column: (\d+)/.exec(message)?.[1] ?? 0);
  return new FormatError('XML_MALFORMED', { problem: visible(problem), line, column }, error);
}

function toElement(node: unknown): XmlElement {
  const entries = new Map(Object.entries(node as Record<string, unknown>));
  const attributes = (entries.get(keys.attributes) ?? {}) as Record<string, string>;
  const children = (entries.get(keys.children) ?? []) as unknown[];
  return {
    name: String(entries.get(keys.name)),
    attributes: new Map(Object.entries(attributes)),
    text: String(entries.get(keys.text) ?? '').trim(),
    children: children.map(toElement),
  };
}
