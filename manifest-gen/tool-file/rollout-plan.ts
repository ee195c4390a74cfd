import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { fail } from '../../errors/release-error.ts';
import { fieldFaults } from '../../formats/field-fault.ts';
import { RolloutPlan } from '../../formats/rollout-plan.ts';
import { faultsInWords, readYaml } from '../../formats/yaml-file.ts';

/** A valid plan in the words in which it was written, as the server and people get it. */
export const WrittenPlan = z.unknown().check(({ value, issues }) => {
  const faults = RolloutPlan.safeParse(value).error?.issues ?? [];
  issues.push(...faults.map((issue) => ({ ...issue, input: value }) as z.core.$ZodRawIssue));
});

/** A plan, or one under `rollout:`, as it is written in a tool's file. */
const PlanFile = z.union([
  z.strictObject({ rollout: WrittenPlan }).transform(({ rollout }) => rollout),
  WrittenPlan,
]);

/**
 * The plan of `--plan FILE`.
 * @throws ReleaseError PLAN_INVALID with line, column and field of each fault
 */
export async function readPlanFile(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const problems = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
    return fail('PLAN_INVALID', { file, problems }, cause);
  });
  const read = readYaml(text, PlanFile, (issue) => fieldFaults(issue, 'is not a field of a plan'));
  if ('value' in read) return read.value;
  return fail('PLAN_INVALID', { file, problems: faultsInWords(read.faults) });
}
