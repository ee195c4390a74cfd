import peggy from 'peggy';
import type { Expression } from '../catalog/query.ts';
import { fail } from '../errors.ts';
import { type RawExpression, typedFilter } from './filter-types.ts';

/** Longest `$filter` in characters; choco's are below 200. */
const maxCharacters = 2048;
/** Deepest nesting of brackets, calls and `not`; choco's is 5. */
const maxDepth = 50;

/**
 * The grammar of `$filter` (spec nuget-v2 section 8), loosest binding first. The first token decides every alternative, so that
 * nothing is parsed twice and the cost of a hostile text is proportional to its length.
 */
const grammar = String.raw`
Filter   = _ @Or _
Or       = head:And tail:(_ "or"i !Letter _ @And)*
           { return tail.reduce((left, right) => ({ kind: 'or', left, right }), head); }
And      = head:Not tail:(_ "and"i !Letter _ @Not)*
           { return tail.reduce((left, right) => ({ kind: 'and', left, right }), head); }
Not      = "not"i !Letter _ operand:Not { return { kind: 'not', operand }; }
         / Compare
Compare  = head:Term tail:(_ @Operator _ @Term)*
           { return tail.reduce((left, [operator, right]) => ({ kind: 'compare', operator, left, right }), head); }
Operator = operator:("eq"i / "ne"i / "gt"i / "ge"i / "lt"i / "le"i) !Letter { return operator.toLowerCase(); }
Term     = "(" _ @Or _ ")"
         / value:Quoted { return { kind: 'text', value }; }
         / ("datetimeoffset"i / "datetime"i) value:Quoted { return { kind: 'date', value }; }
         / value:$("-"? [0-9]+ ("." [0-9]+)?) [lmdf]i? !Letter { return { kind: 'number', value: Number(value) }; }
         / name:Name args:(_ "(" _ @Args _ ")")? { return args ? { kind: 'call', name, args } : { kind: 'name', name }; }
Args     = head:Or tail:(_ "," _ @Or)* { return [head, ...tail]; }
         / "" { return []; }
Quoted   = "'" text:$([^'] / "''")* "'" { return text.replaceAll("''", "'"); }
Name     = !("not"i !Letter) @$([a-z_]i Letter*)
Letter   = [a-z0-9_]i
_        = [ \t\r\n]*
`;
const parser = peggy.generate(grammar);

/**
 * Parses a decoded `$filter`. Nothing is ignored, because a client takes the first entry of a filtered feed as the answer (spec
 * nuget-v2 section 1, point 5).
 * @throws FeedError QUERY_INVALID naming what is not understood
 */
export function parseFilter(text: string): Expression {
  if (text.length > maxCharacters) {
    fail('QUERY_INVALID', { problem: `$filter is longer than ${maxCharacters} characters.` });
  }
  // Checked first, since the parser recurses once per bracket.
  if (depthOfBrackets(text) > maxDepth) failDepth();
  const expression = typedFilter(parse(text));
  if (depthOf(expression) > maxDepth) failDepth();
  return expression;
}

function parse(text: string): RawExpression {
  try {
    return parser.parse(text);
  } catch (cause) {
    if (!(cause instanceof parser.SyntaxError)) throw cause;
    const { offset } = cause.location.start;
    const found = text.slice(offset, offset + 20);
    const place = found === '' ? 'it ends too early' : `position ${offset + 1}, at ${JSON.stringify(found)}`;
    return fail('QUERY_INVALID', { problem: `$filter is malformed: ${place}.` }, cause);
  }
}

/** Brackets in quotes count too: no package has a name with fifty of them. */
function depthOfBrackets(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '(') deepest = Math.max(deepest, ++depth);
    else if (character === ')') depth--;
  }
  return deepest;
}

/** A chain of `and` or `or` is one level, however long. */
function depthOf(expression: Expression): number {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      let deepest = 0;
      let rest: Expression = expression;
      for (; rest.kind === expression.kind; rest = rest.left)
        deepest = Math.max(deepest, depthOf(rest.right));
      return 1 + Math.max(deepest, depthOf(rest));
    }
    case 'not':
      return 1 + depthOf(expression.operand);
    case 'compare':
      return 1 + Math.max(depthOf(expression.left), depthOf(expression.right));
    case 'call':
      return 1 + Math.max(0, ...expression.args.map(depthOf));
    default:
      return 1;
  }
}

function failDepth(): never {
  return fail('QUERY_INVALID', { problem: `$filter is nested deeper than ${maxDepth} levels.` });
}
