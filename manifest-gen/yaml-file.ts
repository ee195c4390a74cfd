import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import type { z } from 'zod';
import { fail } from './errors.ts';
import { messageOf } from './thrown.ts';

/**
 * A YAML file of the tools' folder by its schema.
 * @throws ReleaseError TOOL_FILE_INVALID with every problem: line, field, what was expected and what was found
 */
export function decodeYaml<T>(schema: z.ZodType<T>, text: string, file: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineOf = (node: Node | null | undefined): string =>
    `line ${lines.linePos(node?.range?.[0] ?? 0).line}`;
  if (document.errors.length > 0) {
    const problems = document.errors.map(
      ({ pos, message }) => `line ${lines.linePos(pos[0]).line}: ${message}`,
    );
    return refuse(file, problems);
  }
  const parsed = schema.safeParse(plainValue(document, (problem) => refuse(file, [problem])));
  if (parsed.success) return parsed.data;
  return refuse(
    file,
    parsed.error.issues.flatMap(faultsOf).map(({ path, problem, isKey = false }) => {
      const { node, isThere } = nodeAt(document.contents, path);
      const field = path.length === 0 ? 'the file' : path.join('.');
      return `${lineOf(node)}: ${field}${isThere && !isKey ? shown(node) : ''} ${problem}`;
    }),
  );
}

function refuse(file: string, problems: readonly string[]): never {
  return fail('TOOL_FILE_INVALID', { file, problems: problems.join('; ') });
}

/** Aliases that would grow without end are an error only now. */
export function plainValue(document: Document, refuse: (problem: string) => never): unknown {
  try {
    return document.toJS();
  } catch (error) {
    return refuse(messageOf(error));
  }
}

/** `isKey`: it is about the word itself, whatever its value. */
type Fault = { readonly path: readonly PropertyKey[]; readonly problem: string; readonly isKey?: boolean };

/** Of alternatives, that which was meant: whose faults lie deepest. */
function faultsOf(issue: z.core.$ZodIssue): readonly Fault[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        problem: 'is no field of a tool file',
        isKey: true,
      }));
    case 'invalid_value':
      return [{ path, problem: `is none of ${issue.values.map(String).join(', ')}` }];
    case 'invalid_type': {
      // zod has both in its sentence, and nowhere else
      const found = /received (.+)$/.exec(issue.message)?.[1];
      const problem =
        found === undefined || found === 'undefined'
          ? `is missing: expected ${kindOf(issue.expected)}`
          : `is ${kindOf(found)}: expected ${kindOf(issue.expected)}`;
      return [{ path, problem }];
    }
    case 'invalid_union': {
      const depth = (faults: readonly Fault[]): number =>
        Math.max(...faults.map((fault) => fault.path.length));
      const [meant] = issue.errors
        .map((issues) => issues.flatMap(faultsOf))
        .filter((faults) => faults.length > 0)
        .sort((a, b) => depth(b) - depth(a));
      if (meant === undefined) return [{ path, problem: 'is of no kind that is known' }];
      return meant.map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
    }
    default:
      return [{ path, problem: issue.message }];
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number (in quotes it is a text)',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of fields',
  record: 'a group of fields',
  null: 'empty',
};

function kindOf(name: string): string {
  return kinds[name] ?? name;
}

/** The value at a path; for a field that is missing, what it is missing in. A key that should not be there is itself what is found. */
export function nodeAt(
  root: Node | null,
  path: readonly PropertyKey[],
): { readonly node: Node | null; readonly isThere: boolean } {
  let node = root;
  for (const [at, step] of path.entries()) {
    if (!isCollection(node)) return { node, isThere: false };
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      : undefined;
    const next: unknown = pair === undefined ? node.get(step, true) : pair.value;
    if (!isNode(next)) return { node, isThere: false };
    node = at === path.length - 1 && isCollection(next) && isNode(pair?.key) ? pair.key : next;
  }
  return { node, isThere: true };
}

function shown(node: Node | null): string {
  return isScalar(node) && ['string', 'number'].includes(typeof node.value)
    ? ` "${String(node.source ?? node.value).slice(0, 60)}"`
    : '';
}
