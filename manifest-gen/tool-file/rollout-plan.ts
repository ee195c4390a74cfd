import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { RolloutPlan } from '../../formats/rollout-plan.ts';
import { fail } from '../errors.ts';
import { fieldFaults } from './field-fault.ts';
import { faultInWords, readYaml } from './yaml-file.ts';

/** A valid plan in the words in which it was written, as the server and people get it. */
export const WrittenPlan = z.unknown().check(({ value, issues }) => {
  const faults = RolloutPlan.safeParse(value).error?.issues ?? [];
  issues.push(...faults.map((issue) => ({ ...issue, input: value }) as z.core.$ZodRawIssue));
});

/**
 * The plan of `--plan FILE`.
 * @throws ReleaseError PLAN_INVALID with line, column and field of each fault
 */
export async function readPlanFile(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) =>
    fail('PLAN_INVALID', { file, problems: 'it cannot be read' }, cause),
  );
  const read = readYaml(text, WrittenPlan, (issue) => fieldFaults(issue, 'is not a field of a plan'));
  if ('value' in read) return read.value;
  return fail('PLAN_INVALID', {
    file,
    problems: read.faults.map((fault) => faultInWords(fault, true)).join('; '),
  });
}
