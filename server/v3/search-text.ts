import type { Expression, QueryProperty } from '../catalog/query.ts';
import { fail } from '../errors.ts';

/** What a search text asks for: words that occur anywhere, and conditions on single fields. */
export type SearchText = { readonly words: readonly string[]; readonly where: readonly Expression[] };

/** As on v2. */
const maxWords = 30;

/** The fields that nuget.org lets a text name (`id:json tags:net`), and how each is compared. */
const fields: Readonly<Record<string, (text: string) => Expression>> = {
  packageid: (text) => ({
    kind: 'compare',
    operator: 'eq',
    left: { kind: 'property', name: 'Id' },
    right: { kind: 'text', value: text },
  }),
  id: (text) => contains('Id', text),
  title: (text) => contains('Title', text),
  description: (text) => contains('Description', text),
  summary: (text) => contains('Summary', text),
  tags: (text) => contains('Tags', text),
  author: (text) => contains('Authors', text),
  authors: (text) => contains('Authors', text),
};

/**
 * Reads the `q` of a search. The same field twice means either, as on nuget.org; all else must hold together.
 * @throws FeedError QUERY_INVALID when it has too many words
 */
export function readSearchText(text: string): SearchText {
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (parts.length > maxWords) fail('QUERY_INVALID', { problem: `q has more than ${maxWords} words.` });
  const words: string[] = [];
  const named = new Map<string, Expression>();
  for (const part of parts) {
    const [, name = '', value = ''] = /^([a-z]+):"?(.+?)"?$/i.exec(part) ?? [];
    const field = name.toLowerCase();
    if (!Object.hasOwn(fields, field)) {
      words.push(part);
      continue;
    }
    const condition = fields[field]?.(value);
    const before = named.get(field);
    if (condition) named.set(field, before ? { kind: 'or', left: before, right: condition } : condition);
  }
  return { words, where: [...named.values()] };
}

/** Whether a field has the text in it, whatever its case. */
export function contains(name: QueryProperty, text: string): Expression {
  const lowered: Expression = { kind: 'call', name: 'tolower', args: [{ kind: 'property', name }] };
  return {
    kind: 'call',
    name: 'substringof',
    args: [{ kind: 'text', value: text.toLowerCase() }, lowered],
  };
}
