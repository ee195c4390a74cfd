import { SaxesParser } from 'saxes';
import { messageOf } from '../formats/thrown.ts';

/** An element as it was written: namespace and prefix kept, since some clients look at one and some at the other. */
export type Element = {
  /** Local name. */
  readonly name: string;
  readonly prefix: string;
  readonly namespace: string;
  /** By the name as written: `m:null`, `href`. */
  readonly attributes: ReadonlyMap<string, string>;
  /** `<a/>` and not `<a></a>`: WCF tells them apart (spec nuget-v2 9.4). */
  readonly isSelfClosing: boolean;
  readonly hasComment: boolean;
  /** All text in it, CDATA included, not trimmed. */
  readonly text: string;
  readonly children: readonly Element[];
};

type Draft = { -readonly [Key in keyof Element]: Element[Key] } & { children: Draft[] };

const maxDepth = 64;
const maxElements = 1_000_000;

/** A whole document, or why it is none: the position and the parser's words. */
export type Parsed = { readonly root: Element } | { readonly problem: string };

/** Strict: one root, declared prefixes, only characters that XML has. A document type is refused, no entity is read. */
export function parseXml(text: string): Parsed {
  const parser = new SaxesParser({ xmlns: true });
  const open: Draft[] = [];
  let root: Draft | undefined;
  let elements = 0;

  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => parser.fail('a document type'));
  parser.on('opentag', (tag) => {
    elements += 1;
    if (open.length >= maxDepth || elements > maxElements) parser.fail('more elements than a feed has');
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

  try {
    parser.write(text).close();
  } catch (error) {
    return { problem: messageOf(error) };
  }
  return root === undefined ? { problem: 'no element' } : { root };
}

export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element?.children.find((child) => child.name === name);
}

export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

/** Every element in it, itself first. */
export function* descendants(element: Element): Generator<Element> {
  yield element;
  for (const child of element.children) yield* descendants(child);
}
