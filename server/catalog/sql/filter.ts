import { raw, type Sql, sql } from '../../database/sql.ts';
import { fail } from '../../errors.ts';
import type { CompareOperator, Expression, FunctionName, SemVerView } from '../query.ts';
import { columns } from './columns.ts';
import { columnTerm, literalTerm, sameCase, type Term, type TextTerm, textFunctions } from './term.ts';

/** SQLite refuses expressions deeper than 1,000, and each of ours may become three of its own. */
const maxDepth = 300;

/**
 * A `$filter` as an SQL condition (spec nuget-v2 sections 8 and 18.1). A condition may evaluate to NULL, which WHERE, AND and OR
 * treat as false; elsewhere (`not`, a condition used as a value) NULL is converted to false. Comparisons stay bare (`p.id_key =
 * ?`, `p.latest_semver2 = 1`), since only those use an index.
 * @throws FeedError QUERY_INVALID when the types do not match
 */
export function filterSql(filter: Expression, view: SemVerView): Sql {
  return condition(filter, 0);

  function condition(expression: Expression, depth: number): Sql {
    if (depth > maxDepth) invalid(`it nests deeper than ${maxDepth} levels`);
    switch (expression.kind) {
      case 'and':
        return sql`(${condition(expression.left, depth + 1)} AND ${condition(expression.right, depth + 1)})`;
      case 'or':
        return sql`(${condition(expression.left, depth + 1)} OR ${condition(expression.right, depth + 1)})`;
      case 'not':
        return sql`NOT ifnull(${condition(expression.operand, depth + 1)}, 0)`;
      case 'compare':
        return compare(
          expression.operator,
          value(expression.left, depth + 1),
          value(expression.right, depth + 1),
        );
      case 'boolean':
        return raw(expression.value ? '1' : '0');
      case 'null':
        return raw('0');
      case 'call':
        if (isPredicate(expression.name)) return callPredicate(expression.name, expression.args, depth);
        break;
      case 'property':
        if (columns[view][expression.name].type === 'boolean') {
          return sql`${raw(columns[view][expression.name].sql)} = ${raw('1')}`;
        }
    }
    return invalid(`a condition was expected, a ${describe(expression)} was found`);
  }

  function value(expression: Expression, depth: number): Term {
    switch (expression.kind) {
      case 'null':
      case 'text':
      case 'number':
      case 'date':
        return literalTerm(expression);
      case 'boolean':
        return { type: 'boolean', plain: raw(expression.value ? '1' : '0') };
      case 'property':
        return columnTerm(columns[view][expression.name]);
      case 'call':
        if (!isPredicate(expression.name)) return callFunction(expression.name, expression.args, depth);
    }
    return { type: 'boolean', plain: sql`ifnull(${condition(expression, depth)}, 0)` };
  }

  function callPredicate(name: Predicate, args: readonly Expression[], depth: number): Sql {
    const texts = textArguments(name, args, 2, depth);
    return texts ? predicates[name](texts[0], texts[1]) : raw('0');
  }

  function callFunction(name: TextFunction, args: readonly Expression[], depth: number): Term {
    const texts = textArguments(name, args, name === 'concat' || name === 'indexof' ? 2 : 1, depth);
    return texts ? textFunctions[name](texts[0], texts[1]) : { type: 'null' };
  }

  /** Undefined when one of them is the null literal. A single argument is doubled, so that all functions take two. */
  function textArguments(name: FunctionName, args: readonly Expression[], count: number, depth: number) {
    const terms = args.map((arg) => value(arg, depth + 1));
    const [first, second = first] = terms;
    if (!first || !second || terms.length !== count) invalid(`${name} takes ${count} arguments`);
    if (first.type === 'null' || second.type === 'null') return undefined;
    if (first.type !== 'text' || second.type !== 'text') invalid(`${name} takes texts`);
    return [first, second] as const;
  }
}

type Predicate = keyof typeof predicates;
type TextFunction = keyof typeof textFunctions;

const predicates = {
  substringof: (needle, haystack) => {
    const [part, text] = sameCase(needle, haystack);
    // Clients look for a whole tag between blanks, including the first and the last (spec nuget-v2 4.1, 9.5).
    const padded = haystack.isWordList ? sql`' ' || ${text} || ' '` : text;
    return isOfClient(part) ? sql`instr(${padded}, ${part}) > 0` : sql`text_index(${padded}, ${part}) >= 0`;
  },
  startswith: (haystack, needle) => {
    const [text, part] = sameCase(haystack, needle);
    return isOfClient(part) ? sql`instr(${text}, ${part}) = 1` : sql`text_index(${text}, ${part}) = 0`;
  },
  endswith: (haystack, needle) => {
    const [text, part] = sameCase(haystack, needle);
    return sql`text_ends(${text}, ${part})`;
  },
} as const satisfies Partial<Record<FunctionName, (...args: [TextTerm, TextTerm]) => Sql>>;

/**
 * Literals are short. For a longer part SQLite compares all of it at each position of a text that repeats itself, which took
 * minutes when both came from published packages.
 */
function isOfClient(part: Sql): boolean {
  return part.text === '?';
}

const operators = { eq: '=', ne: '<>', gt: '>', ge: '>=', lt: '<', le: '<=' } as const;

function compare(operator: CompareOperator, left: Term, right: Term): Sql {
  if (left.type === 'null' || right.type === 'null') return compareWithNull(operator, left, right);
  if (left.type !== right.type) invalid(`${operator} cannot compare a ${left.type} with a ${right.type}`);
  if (left.type === 'boolean' && operator !== 'eq' && operator !== 'ne')
    invalid(`${operator} orders no booleans`);
  const [a, b] =
    left.type === 'text' && right.type === 'text' ? sides(left, right) : [left.plain, right.plain];
  return sql`${a} ${raw(operators[operator])} ${b}`;
}

/** A text compared with Version or NormalizedVersion is a version: `1.0` equals `1.0.0` (spec nuget-v2 section 8). */
function sides(left: TextTerm, right: TextTerm): readonly [Sql, Sql] {
  const areVersions = left.isVersion || right.isVersion;
  return areVersions && left.versionKey && right.versionKey
    ? [left.versionKey, right.versionKey]
    : sameCase(left, right);
}

function compareWithNull(operator: CompareOperator, left: Term, right: Term): Sql {
  if (operator !== 'eq' && operator !== 'ne') return raw('0');
  const other = left.type === 'null' ? right : left;
  if (other.type === 'null') return raw(operator === 'eq' ? '1' : '0');
  return sql`${other.plain} ${raw(operator === 'eq' ? 'IS NULL' : 'IS NOT NULL')}`;
}

function isPredicate(name: FunctionName): name is Predicate {
  return name in predicates;
}

function describe(expression: Expression): string {
  return expression.kind === 'property' || expression.kind === 'call' ? expression.name : expression.kind;
}

function invalid(problem: string): never {
  return fail('QUERY_INVALID', { problem });
}
