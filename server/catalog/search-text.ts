import { fail } from '../errors.ts';
import type { Expression, QueryProperty } from './query.ts';

/** A parsed search text: words that may occur anywhere, and conditions on single fields. */
export type SearchText = { readonly words: readonly string[]; readonly where: readonly Expression[] };

/** The maximum number of words and conditions in a text. */
const maxWords = 30;

/** The fields that a text may name (spec nuget-v2 section 8), and how each is compared. */
const fields = {
  packageid: (text) => equal('Id', text),
  id: (text) => contains('Id', text),
  version: (text) => equal('Version', text),
  title: (text) => contains('Title', text),
  description: (text) => contains('Description', text),
  summary: (text) => contains('Summary', text),
  tag: hasTags,
  author: (text) => contains('Authors', text),
  owner: (text) => contains('Owners', text),
} as const satisfies Readonly<Record<string, (text: string) => Expression>>;
type Field = keyof typeof fields;

const otherNames: Readonly<Record<string, Field>> = { tags: 'tag', authors: 'author', owners: 'owner' };

/**
 * Parses the text of a search, v2's `searchTerm` and v3's `q` alike: words, `field:text`, and either in quotes, which keep
 * blanks. The same field twice means either one, as on nuget.org; everything else has to match.
 * @throws FeedError QUERY_INVALID when it has too many words
 */
export function readSearchText(text: string, parameter: string): SearchText {
  const parts = [...text.matchAll(/(?:([a-z]+):)?"([^"]*)"(?!\S)|(?:([a-z]+):)?(\S+)/gi)];
  let size = 0;
  const take = (count: number) => {
    size += count;
    if (size > maxWords) fail('QUERY_INVALID', { problem: `${parameter} has more than ${maxWords} words.` });
  };
  take(parts.length);
  const words: string[] = [];
  const named = new Map<Field, Expression>();
  for (const [whole, quotedName, quoted, name = quotedName, bare = ''] of parts) {
    const value = (quoted ?? bare.replaceAll('"', '')).trim();
    const field = name === undefined ? undefined : fieldOf(name);
    if (field === undefined || value === '') {
      words.push(quotedName === undefined && quoted !== undefined && value !== '' ? value : whole);
      continue;
    }
    // Each tag becomes a nested condition, so the depth grows with the number of tags.
    if (field === 'tag') take(Math.max(0, tagsIn(value).length - 1));
    const condition = fields[field](value);
    const before = named.get(field);
    named.set(field, before ? { kind: 'or', left: before, right: condition } : condition);
  }
  return { words, where: [...named.values()] };
}

/** All conditions together; undefined when there are none. */
export function allOf(conditions: readonly (Expression | undefined)[]): Expression | undefined {
  return conditions
    .filter((one) => one !== undefined)
    .reduce<Expression | undefined>(
      (left, right) => (left ? { kind: 'and', left, right } : right),
      undefined,
    );
}

/** Whether a field contains the text, in any case. */
export function contains(name: QueryProperty, text: string): Expression {
  const lowered: Expression = { kind: 'call', name: 'tolower', args: [{ kind: 'property', name }] };
  return {
    kind: 'call',
    name: 'substringof',
    args: [{ kind: 'text', value: text.toLowerCase() }, lowered],
  };
}

function equal(name: 'Id' | 'Version', text: string): Expression {
  return {
    kind: 'compare',
    operator: 'eq',
    left: { kind: 'property', name },
    right: { kind: 'text', value: text },
  };
}

/** Whole tags: `tag:PSCommand_Get-One` of PowerShellGet does not match `PSCommand_Get-OneMore` (spec nuget-v2 18.3). */
function hasTags(text: string): Expression {
  const [first = text, ...rest] = tagsIn(text);
  return rest.reduce<Expression>(
    (left, tag) => ({ kind: 'and', left, right: contains('Tags', ` ${tag} `) }),
    contains('Tags', ` ${first} `),
  );
}

function tagsIn(text: string): string[] {
  return text.split(/[\s,;]+/).filter((tag) => tag !== '');
}

function fieldOf(name: string): Field | undefined {
  const lower = name.toLowerCase();
  if (Object.hasOwn(fields, lower)) return lower as Field;
  return Object.hasOwn(otherNames, lower) ? otherNames[lower] : undefined;
}
