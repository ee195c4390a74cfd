import {
  type CompareOperator,
  type Expression,
  type FunctionName,
  functionNames,
  type QueryProperty,
  queryProperties,
} from '../catalog/query.ts';
import { fail } from '../errors.ts';

/** The grammar's result: names are not looked up yet, types are not known yet. */
export type RawExpression =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'date'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly RawExpression[] }
  | {
      readonly kind: 'compare';
      readonly operator: CompareOperator;
      readonly left: RawExpression;
      readonly right: RawExpression;
    }
  | { readonly kind: 'and' | 'or'; readonly left: RawExpression; readonly right: RawExpression }
  | { readonly kind: 'not'; readonly operand: RawExpression };

type Type = 'text' | 'number' | 'boolean' | 'date' | 'null';
type Typed = { readonly expression: Expression; readonly type: Type };

const propertyTypes: Readonly<Record<QueryProperty, Type>> = {
  Id: 'text',
  Version: 'text',
  NormalizedVersion: 'text',
  Title: 'text',
  Summary: 'text',
  Description: 'text',
  Tags: 'text',
  Authors: 'text',
  Owners: 'text',
  Dependencies: 'text',
  IsLatestVersion: 'boolean',
  IsAbsoluteLatestVersion: 'boolean',
  IsPrerelease: 'boolean',
  Listed: 'boolean',
  IsApproved: 'boolean',
  IsDownloadCacheAvailable: 'boolean',
  PackageTestResultStatus: 'text',
  PackageStatus: 'text',
  Published: 'date',
  Created: 'date',
  LastUpdated: 'date',
  LastEdited: 'date',
  DownloadCount: 'number',
  VersionDownloadCount: 'number',
  PackageSize: 'number',
};

const functions: Readonly<Record<FunctionName, readonly [args: readonly Type[], result: Type]>> = {
  substringof: [['text', 'text'], 'boolean'],
  startswith: [['text', 'text'], 'boolean'],
  endswith: [['text', 'text'], 'boolean'],
  tolower: [['text'], 'text'],
  toupper: [['text'], 'text'],
  trim: [['text'], 'text'],
  length: [['text'], 'number'],
  indexof: [['text', 'text'], 'number'],
  concat: [['text', 'text'], 'text'],
};

const propertiesByName = new Map(queryProperties.map((name) => [name.toLowerCase(), name]));
const functionsByName = new Map<string, { name: FunctionName; args: readonly Type[]; result: Type }>(
  functionNames.map((name) => [name, { name, args: functions[name][0], result: functions[name][1] }]),
);

/**
 * Looks up every name, in any case, and checks every type, so that the result can be turned into SQL without further checks.
 * @throws FeedError QUERY_INVALID naming the unknown name or the part with the wrong type
 */
export function typedFilter(raw: RawExpression): Expression {
  return typed(raw, ['boolean'], 'the filter');
}

/** The property that a name in `$orderby` or `$filter` means. */
export function findProperty(name: string): QueryProperty | undefined {
  return propertiesByName.get(name.toLowerCase());
}

function typed(raw: RawExpression, expected: readonly Type[], where: string): Expression {
  const { expression, type } = infer(raw);
  return expected.includes(type)
    ? expression
    : refuse(`${where} must be ${expected.join(' or ')}, not ${type}`);
}

function infer(raw: RawExpression): Typed {
  switch (raw.kind) {
    case 'text':
      return { expression: raw, type: 'text' };
    case 'date':
      return { expression: { kind: 'date', value: utc(raw.value) }, type: 'date' };
    case 'number':
      return Number.isFinite(raw.value)
        ? { expression: raw, type: 'number' }
        : refuse('a number is too large');
    case 'name':
      return inferName(raw.name);
    case 'call':
      return inferCall(raw.name, raw.args);
    case 'compare':
      return inferCompare(raw.operator, infer(raw.left), infer(raw.right));
    case 'not':
      return {
        expression: { kind: 'not', operand: typed(raw.operand, ['boolean'], 'what follows not') },
        type: 'boolean',
      };
    default: {
      const left = typed(raw.left, ['boolean'], `what stands before ${raw.kind}`);
      const right = typed(raw.right, ['boolean'], `what stands after ${raw.kind}`);
      return { expression: { kind: raw.kind, left, right }, type: 'boolean' };
    }
  }
}

function inferName(name: string): Typed {
  const lower = name.toLowerCase();
  if (lower === 'true' || lower === 'false')
    return { expression: { kind: 'boolean', value: lower === 'true' }, type: 'boolean' };
  if (lower === 'null') return { expression: { kind: 'null' }, type: 'null' };
  const property = findProperty(name);
  if (property === undefined) return refuse(`there is no property ${name} to ask for`);
  return { expression: { kind: 'property', name: property }, type: propertyTypes[property] };
}

function inferCall(name: string, rawArgs: readonly RawExpression[]): Typed {
  const known = functionsByName.get(name.toLowerCase());
  if (known === undefined) return refuse(`there is no function ${name}`);
  const takes = known.args.length;
  if (takes !== rawArgs.length)
    return refuse(`${known.name} takes ${takes} parameters, not ${rawArgs.length}`);
  const args = rawArgs.map((arg, index) =>
    typed(arg, [known.args[index] ?? 'text', 'null'], `parameter ${index + 1} of ${known.name}`),
  );
  return { expression: { kind: 'call', name: known.name, args }, type: known.result };
}

function inferCompare(operator: CompareOperator, left: Typed, right: Typed): Typed {
  const type = left.type === 'null' ? right.type : left.type;
  const isSame = left.type === right.type || left.type === 'null' || right.type === 'null';
  const isOrdered = operator === 'eq' || operator === 'ne' || (type !== 'boolean' && type !== 'null');
  if (!isSame || !isOrdered) return refuse(`${left.type} ${operator} ${right.type} cannot be compared`);
  return {
    expression: { kind: 'compare', operator, left: left.expression, right: right.expression },
    type: 'boolean',
  };
}

/** `2026-01-31T10:00:00` without a zone is UTC, as in the feed's own dates. */
function utc(text: string): string {
  const [, date, time = 'T00:00', seconds = ':00', fraction = '', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d)(:\d\d)?(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  const at = date === undefined ? Number.NaN : Date.parse(date + time + seconds + fraction + zone);
  return Number.isNaN(at)
    ? refuse(`${JSON.stringify(text.slice(0, 40))} is not a date`)
    : new Date(at).toISOString();
}

function refuse(problem: string): never {
  return fail('QUERY_INVALID', { problem: `$filter: ${problem}.` });
}
