import type * as z from 'zod';
import { fail } from '../../errors/release-error.ts';
import { fieldFaults } from '../../formats/field-fault.ts';
import { faultInWords, readYaml } from '../../formats/yaml-file.ts';

/**
 * A YAML file of the tools' folder by its schema.
 * @throws ReleaseError TOOL_FILE_INVALID with every problem: line, field, what was expected and what was found
 */
export function decodeToolFile<T>(schema: z.ZodType<T>, text: string, file: string): T {
  const read = readYaml(text, schema, (issue) => fieldFaults(issue, 'is not a field of a tool file'));
  if ('value' in read) return read.value;
  const sentences = read.faults.map((fault) =>
    faultInWords(fault, fault.field?.startsWith('rollout') === true),
  );
  return fail('TOOL_FILE_INVALID', { file, problems: sentences.join('; ') });
}
