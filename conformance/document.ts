import { FormatError } from '../formats/format-error.ts';
import { type Element, readXmlTree } from '../formats/xml-tree.ts';
import { type Answer, textOf } from './wire/answer.ts';

/** A whole document, or why it is none. */
export type Parsed = { readonly root: Element } | { readonly problem: string };

/** An answer has 128 MiB at most. */
const limits = { maxBytes: Number.POSITIVE_INFINITY, maxElements: 1_000_000 };
const known = new WeakMap<Buffer, Parsed>();
/** By text, the latest last: many checks ask for what others have asked for. Large documents are not kept. */
const recent = new Map<string, Parsed>();
const recentDocuments = 100;
const recentCharacters = 1_000_000;

/** The body as XML, parsed once however many look at it. */
export function parsedOf(answer: Pick<Answer, 'body'>): Parsed {
  const before = known.get(answer.body);
  if (before !== undefined) return before;
  const text = textOf(answer);
  const parsed = recent.get(text) ?? parse(text);
  known.set(answer.body, parsed);
  if (text.length <= recentCharacters) remember(text, parsed);
  return parsed;
}

function remember(text: string, parsed: Parsed): void {
  recent.delete(text);
  recent.set(text, parsed);
  for (const oldest of recent.keys()) {
    if (recent.size <= recentDocuments) break;
    recent.delete(oldest);
  }
}

function parse(text: string): Parsed {
  try {
    return { root: readXmlTree(text, limits) };
  } catch (error) {
    if (error instanceof FormatError) return { problem: error.message };
    throw error;
  }
}
