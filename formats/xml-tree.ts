import { SaxesParser } from 'saxes';
import { fail, visible } from './format-error.ts';

/** An element as it was written, with namespace and prefix: some clients look at one, some at the other. */
export type Element = {
  /** The local name. */
  readonly name: string;
  readonly prefix: string;
  readonly namespace: string;
  /** Keys as written: `m:null`, `href`. */
  readonly attributes: ReadonlyMap<string, string>;
  /** `<a/>` as opposed to `<a></a>`: WCF distinguishes them (spec nuget-v2 9.4). */
  readonly isSelfClosing: boolean;
  readonly hasComment: boolean;
  /** All text inside, including CDATA, not trimmed. */
  readonly text: string;
  readonly children: readonly Element[];
};

type Draft = { -readonly [Key in keyof Element]: Element[Key] } & { children: Draft[] };

export type TreeLimits = { readonly maxBytes: number; readonly maxElements: number };

const maxDepth = 64;

/**
 * Reads a whole untrusted document in one pass. Strict: one root, declared prefixes, only characters that XML allows. A document
 * type is refused, entities are not expanded. Reading stops at the first limit that is exceeded.
 * @throws FormatError XML_TOO_LARGE, XML_TOO_MANY, XML_TOO_DEEP, XML_DTD, XML_MALFORMED
 */
export function readXmlTree(text: string, { maxBytes, maxElements }: TreeLimits): Element {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) fail('XML_TOO_LARGE', { bytes, maxBytes });
  const parser = new SaxesParser({ xmlns: true });
  const open: Draft[] = [];
  let root: Draft | undefined;
  let elements = 0;

  const position = () => ({ line: parser.line, column: parser.columnIndex + 1 });
  // saxes says "3:12: unexpected close tag."
  parser.on('error', (error) => {
    const problem = visible(error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, ''));
    fail('XML_MALFORMED', { problem, ...position() }, error);
  });
  parser.on('doctype', () => fail('XML_DTD', position()));
  parser.on('opentag', (tag) => {
    elements += 1;
    if (open.length >= maxDepth) fail('XML_TOO_DEEP', { maxDepth, ...position() });
    if (elements > maxElements) fail('XML_TOO_MANY', { maxElements, ...position() });
    const element: Draft = {
      name: tag.local,
      prefix: tag.prefix,
      namespace: tag.uri,
      attributes: new Map(Object.values(tag.attributes).map(({ name, value }) => [name, value])),
      isSelfClosing: tag.isSelfClosing,
      hasComment: false,
      text: '',
      children: [],
    };
    const parent = open.at(-1);
    if (parent === undefined) root = element;
    else parent.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => void open.pop());
  const addText = (piece: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += piece;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('comment', () => {
    const element = open.at(-1);
    if (element !== undefined) element.hasComment = true;
  });

  parser.write(text.replace(/^\u{feff}/u, '')).close();
  return root ?? fail('XML_MALFORMED', { problem: 'no element', ...position() });
}

export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element?.children.find((child) => child.name === name);
}

export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

/** All elements inside, including itself, which comes first. */
export function* descendants(element: Element): Generator<Element> {
  yield element;
  for (const child of element.children) yield* descendants(child);
}
