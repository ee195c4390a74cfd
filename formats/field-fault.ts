import type * as z from 'zod';

/** What is wrong with a field, as the rest of a sentence that starts with its name. */
export type FieldFault = {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
  /** It is about the field name itself, whatever its value. */
  readonly isKey?: boolean;
};

/** A schema issue as a sentence; of several alternatives the one that was meant, which has the deepest faults, and the fewest. */
export function fieldFaults(issue: z.core.$ZodIssue, unknownKey: string): readonly FieldFault[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], problem: unknownKey, isKey: true }));
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
      const depth = (faults: readonly FieldFault[]): number =>
        Math.max(...faults.map((fault) => fault.path.length));
      const alternatives = issue.errors
        .map((issues) => issues.flatMap((one) => fieldFaults(one, unknownKey)))
        .filter((faults) => faults.length > 0)
        .sort((a, b) => depth(b) - depth(a) || a.length - b.length);
      const [meant] = alternatives;
      if (meant === undefined) return [{ path, problem: 'is of an unknown kind' }];
      const lacking = alternatives.map((faults) => faults.find(isMissingField)?.path[0]);
      const names = new Set(lacking.filter((name) => name !== undefined).map(String));
      // each alternative begins with a field of its own, and none of these fields is there
      if (alternatives.length > 1 && names.size === alternatives.length) {
        const rest = meant.filter((fault) => !isMissingField(fault) || !names.has(String(fault.path[0])));
        const needs = { path: [], problem: `needs ${[...names].join(' or ')}` };
        return [needs, ...rest].map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
      }
      return meant.map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
    }
    default:
      return [{ path, problem: issue.message }];
  }
}

function isMissingField({ path, problem }: FieldFault): boolean {
  return path.length === 1 && problem.startsWith('is missing');
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number (in quotes it is text)',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of fields',
  record: 'a group of fields',
  null: 'empty',
};

function kindOf(name: string): string {
  return kinds[name] ?? name;
}
