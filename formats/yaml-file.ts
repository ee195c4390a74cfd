import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  parseDocument,
} from 'yaml';
import type * as z from 'zod';
import type { FieldFault } from './field-fault.ts';
import { messageOf } from './thrown.ts';

/** What is wrong at one place of a YAML file; each kind of file has its own sentence for it. */
export type YamlFault = {
  readonly line: number;
  readonly column: number;
  /** `sources.0.kind`, empty for the whole file; undefined when it is not YAML. */
  readonly field: string | undefined;
  /** The text or number at that position, as written. */
  readonly found?: { readonly text: string; readonly isText: boolean } | undefined;
} & Omit<FieldFault, 'path'>;

type Read<T> =
  | { readonly value: T; readonly lineOf: (path: readonly PropertyKey[]) => number }
  | { readonly faults: readonly YamlFault[] };

/** A YAML text by its schema, or each of its faults; `faultsOf` says what an issue of the schema means to people; `merge` knows `<<`, as Compose does. */
export function readYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  faultsOf: (issue: z.core.$ZodIssue) => readonly FieldFault[],
  { merge = false }: { readonly merge?: boolean } = {},
): Read<T> {
  const lines = new LineCounter();
  const depth = tooDeepAt(text);
  if (depth !== undefined) {
    const before = text.slice(0, depth).split('\n');
    const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    return { faults: [{ ...place, field: undefined, problem: `it nests deeper than ${maxYamlDepth}` }] };
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge });
  const placeAt = (offset: number): { line: number; column: number } => {
    const { line, col: column } = lines.linePos(offset);
    return { line, column };
  };
  const placeIn = (path: readonly PropertyKey[]): { line: number; column: number } =>
    placeAt(placeOf(document.contents, path).at?.range?.[0] ?? 0);
  // the others are mostly its consequences
  const [broken] = document.errors;
  if (broken !== undefined)
    return { faults: [{ ...placeAt(broken.pos[0]), field: undefined, problem: broken.message }] };
  const plain = plainValue(document);
  if ('problem' in plain) return { faults: [{ ...placeAt(0), field: undefined, problem: plain.problem }] };
  const parsed = schema.safeParse(plain.value);
  if (parsed.success) return { value: parsed.data, lineOf: (path) => placeIn(path).line };
  const faults = parsed.error.issues.flatMap(faultsOf).map(({ path, ...fault }) => {
    const found = scalarOf(placeOf(document.contents, path).value);
    return { ...fault, ...placeIn(path), field: path.join('.'), found };
  });
  return { faults };
}

/** Aliases that would grow without end are an error only now. */
function plainValue(document: Document): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: document.toJS() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** `at`: its position; `value`: undefined if the field is missing. */
type Place = { readonly at: Node | null; readonly value: Node | null | undefined };

/** The value at a path, by its key where it is of several lines; for a field that is missing, what it is missing in. */
function placeOf(root: Node | null, path: readonly PropertyKey[]): Place {
  let place: Place = { at: root, value: root };
  for (const step of path) {
    const { value } = place;
    if (!isCollection(value)) return { at: place.at, value: undefined };
    const pair = isMap(value)
      ? value.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      : undefined;
    const next: unknown = pair === undefined ? value.get(step, true) : pair.value;
    if (!isNode(next)) return { at: value, value: undefined };
    place = { at: isCollection(next) && isNode(pair?.key) ? pair.key : next, value: next };
  }
  return place;
}

function scalarOf(node: Place['value']): YamlFault['found'] {
  if (!isScalar(node)) return undefined;
  const { value, source } = node;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return { text: String(source ?? value).slice(0, 60), isText: typeof value === 'string' };
}

/** A tool's file nests six deep. */
export const maxYamlDepth = 64;

/**
 * Where a YAML text nests deeper than that; undefined if it does not. The library recurses into every level, and if its stack
 * overflows within a pattern, V8 ends the process and nothing can be caught. Its parser keeps the levels in a list.
 */
export function tooDeepAt(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // it returns whole documents, which are not used here
    for (const _document of parser.next(lexeme));
    if (parser.stack.length > maxYamlDepth) return parser.offset;
  }
  return undefined;
}

/** @param hasColumn several fields of a plan are in one line (contract section 8) */
export function faultInWords(fault: YamlFault, hasColumn: boolean): string {
  const { line, column, field, found, isKey, problem } = fault;
  const place = hasColumn ? `line ${line}, column ${column}` : `line ${line}`;
  if (field === undefined) return `${place}: ${problem}`;
  const value = found === undefined || isKey ? '' : ` "${found.text}"`;
  return `${place}: ${field || 'the file'}${value} ${problem}`;
}

/** All of them in one text, with line and column. */
export function faultsInWords(faults: readonly YamlFault[]): string {
  return faults.map((fault) => faultInWords(fault, true)).join('; ');
}
