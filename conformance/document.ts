import { FormatError } from '../formats/format-error.ts';
import { type Element, readXmlTree } from '../formats/xml-tree.ts';
import { type Answer, textOf } from './wire/answer.ts';

/** A whole document, or why it is none. */
export type Parsed = { readonly root: Element } | { readonly problem: string };

/** An answer has 128 MiB at most. */
const limits = { maxBytes: Number.POSITIVE_INFINITY, maxElements: 1_000_000 };
const known = new WeakMap<Buffer, Parsed>();

/** The body as XML, parsed once however many look at it. */
export function parsedOf(answer: Pick<Answer, 'body'>): Parsed {
  const before = known.get(answer.body);
  if (before !== undefined) return before;
  const parsed = parse(textOf(answer));
  known.set(answer.body, parsed);
  return parsed;
}

function parse(text: string): Parsed {
  try {
    return { root: readXmlTree(text, limits) };
  } catch (error) {
    if (error instanceof FormatError) return { problem: error.message };
    throw error;
  }
}
