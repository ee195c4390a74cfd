import type { z } from 'zod';
import { fail } from '../errors.ts';
import { fieldFaults } from './field-fault.ts';
import { readYaml, type YamlFault } from './yaml-file.ts';

/**
 * A YAML file of the tools' folder by its schema.
 * @throws ReleaseError TOOL_FILE_INVALID with every problem: line, field, what was expected and what was found
 */
export function decodeToolFile<T>(schema: z.ZodType<T>, text: string, file: string): T {
  const read = readYaml(text, schema, (issue) => fieldFaults(issue, 'is not a field of a tool file'));
  if ('value' in read) return read.value;
  return fail('TOOL_FILE_INVALID', { file, problems: read.faults.map(sentenceOf).join('; ') });
}

function sentenceOf({ line, field, found, isKey, problem }: YamlFault): string {
  if (field === undefined) return `line ${line}: ${problem}`;
  const value = found === undefined || isKey ? '' : ` "${found.text}"`;
  return `line ${line}: ${field || 'the file'}${value} ${problem}`;
}
