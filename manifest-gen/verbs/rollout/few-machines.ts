import { RolloutPlan } from '../../../formats/rollout-plan.ts';

/**
 * What to say when a step waits for more machines than the server has ever seen. That may be intended, since more machines may come;
 * but if the number is too high, the step never ends. Undefined for all other plans, and for an invalid one.
 * @param plan as it is written
 * @param known how many machines have asked at addresses of their own
 */
export function tooFewMachines(plan: unknown, known: number): string | undefined {
  const { steps = [] } = RolloutPlan.safeParse(plan).data ?? {};
  const at = steps.findIndex(({ needs }) => needs > known);
  if (at < 0) return undefined;
  const asked = known === 1 ? '1 has asked so far' : `${known} have asked so far`;
  return `step ${at + 1} waits until ${steps[at]?.needs} machines have received it, and ${asked} (feed:clients list)`;
}
