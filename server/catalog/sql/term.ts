import { parseNuGetVersion, versionSortKey } from '../../../formats/nuget-version.ts';
import { raw, type Sql, sql } from '../../database/sql.ts';
import { fail } from '../../errors.ts';
import type { Expression, FunctionName } from '../query.ts';
import type { Column } from './columns.ts';

/** An operand. `folded` is the text in lower case, taken from a stored column if there is one. */
export type Term =
  | { readonly type: 'null' }
  | { readonly type: 'number' | 'boolean' | 'date'; readonly plain: Sql }
  | {
      readonly type: 'text';
      readonly plain: Sql;
      readonly folded: Sql;
      readonly ignoresCase: boolean;
      /** Words separated by blanks. */
      readonly isWordList?: boolean;
      /** The sort key if the text can be parsed as a version; `isVersion` if it has to be one. */
      readonly versionKey?: Sql;
      readonly isVersion?: true;
    };
export type TextTerm = Extract<Term, { type: 'text' }>;

export function columnTerm(column: Column): Term {
  const plain = raw(column.sql);
  if (column.type !== 'text') return { type: column.type, plain };
  const key = column.key === undefined ? undefined : raw(column.key);
  if (key && column.isVersion) {
    return { ...textTerm(plain, lower(plain), false), versionKey: key, isVersion: true };
  }
  const term = textTerm(plain, key ?? lower(plain), column.ignoresCase ?? false);
  return { ...term, isWordList: column.isWordList ?? false };
}

export function literalTerm(
  literal: Extract<Expression, { kind: 'text' | 'number' | 'date' | 'null' }>,
): Term {
  switch (literal.kind) {
    case 'null':
      return { type: 'null' };
    case 'number':
      return { type: 'number', plain: sql`${literal.value}` };
    case 'date':
      return { type: 'date', plain: sql`${readDate(literal.value)}` };
    case 'text':
      return {
        ...textTerm(sql`${literal.value}`, sql`${literal.value.toLowerCase()}`, false),
        versionKey: sql`${readVersionKey(literal.value)}`,
      };
  }
}

/** Functions over texts that are not the null literal (which would make the whole call null). */
export const textFunctions = {
  tolower: (text) => ({
    ...textTerm(text.folded, text.folded, text.ignoresCase),
    isWordList: text.isWordList ?? false,
  }),
  toupper: (text) => {
    const upper = sql`text_upper(${text.plain})`;
    return { ...textTerm(upper, lower(upper), text.ignoresCase), isWordList: text.isWordList ?? false };
  },
  trim: (text) => textTerm(sql`text_trim(${text.plain})`, sql`text_trim(${text.folded})`, text.ignoresCase),
  length: (text) => ({ type: 'number', plain: sql`text_length(${text.plain})` }),
  indexof: (text, part) => {
    const [haystack, needle] = sameCase(text, part);
    return { type: 'number', plain: sql`text_index(${haystack}, ${needle})` };
  },
  concat: (left, right) =>
    textTerm(
      sql`(${left.plain} || ${right.plain})`,
      sql`(${left.folded} || ${right.folded})`,
      left.ignoresCase || right.ignoresCase,
    ),
} as const satisfies Partial<Record<FunctionName, (...args: [TextTerm, TextTerm]) => Term>>;

/** Both in the form for comparing: in lower case if either ignores case. */
export function sameCase(left: TextTerm, right: TextTerm): readonly [Sql, Sql] {
  return left.ignoresCase || right.ignoresCase ? [left.folded, right.folded] : [left.plain, right.plain];
}

function textTerm(plain: Sql, folded: Sql, ignoresCase: boolean): TextTerm {
  return { type: 'text', plain, folded, ignoresCase };
}

function lower(text: Sql): Sql {
  return sql`text_lower(${text})`;
}

/** An invalid version equals no version and sorts below all of them. */
function readVersionKey(text: string): string {
  const version = parseNuGetVersion(text);
  return version ? versionSortKey(version) : '';
}

function readDate(text: string): number {
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text);
  const time = Date.parse(hasZone || !text.includes('T') ? text : `${text}Z`);
  return Number.isNaN(time)
    ? fail('QUERY_INVALID', { problem: `'${text.slice(0, 40)}' is not a date` })
    : time;
}
