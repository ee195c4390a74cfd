import * as z from 'zod';
import { readDuration } from './duration.ts';
import { parseTimeWindow } from './time-window.ts';

/**
 * How a version reaches machines (interface section 8), as written in `rollout:` of a tool's file, in a plan file and in the JSON
 * API. Unknown fields are refused: with a misspelt `heartbeat` a rollout would continue without one.
 */
const maxSteps = 50;

const hold = z
  .string()
  .refine(
    (text) => readDuration(text) !== undefined,
    'is no time: expected a number with s, m, h or d, such as 4h',
  )
  .transform((text) => readDuration(text) ?? 0);

const evidence = {
  hold,
  needs: z.int('is no whole number').min(0, 'is below 0').max(1_000_000, 'is above 1000000').default(1),
};

/** Two decimals, since positions of clients count in hundredths of a percent. */
const percent = z
  .number()
  .gt(0, 'is not above 0')
  .max(100, 'is above 100')
  .refine((value) => Number.isInteger(Math.round(value * 1e6) / 1e4), 'has more than two decimals');

const ringName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'is no name of a ring: expected small letters, digits, dot, dash, underscore',
  );

const step = z.union([
  z.strictObject({ ring: ringName, ...evidence }),
  z.strictObject({ percent, ...evidence }),
]);

const labels = z
  .record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/, 'is no name of a label'), z.string().max(1000))
  .refine(
    (match) => Object.keys(match).length > 0,
    'is empty: every alert would match; leave it out for the tool',
  )
  .refine((match) => Object.keys(match).length <= 20, 'has more than 20 labels');

export const RolloutPlan = z.strictObject({
  steps: z.array(step).min(1, 'has no step').max(maxSteps, `has more than ${maxSteps} steps`).check(grows),
  window: z
    .array(
      z
        .string()
        .max(200)
        .refine(
          (text) => parseTimeWindow(text) !== undefined,
          'is no window: expected days, hours and a zone, such as Mon-Fri 08:00-17:00 Europe/Berlin',
        ),
    )
    .max(20, 'has more than 20 windows')
    .default([]),
  heartbeat: hold.optional(),
  match: labels.optional(),
  onAlert: z.enum(['halt', 'rollback']).default('halt'),
});

export type RolloutPlan = z.output<typeof RolloutPlan>;

function grows({ value, issues }: z.core.ParsePayload<z.output<typeof step>[]>): void {
  let reached = 0;
  for (const [index, each] of value.entries()) {
    if (!('percent' in each)) continue;
    if (each.percent <= reached) {
      const message = `does not grow: a step before has ${reached}`;
      issues.push({ code: 'custom', input: each.percent, path: [index, 'percent'], message });
    }
    reached = Math.max(reached, each.percent);
  }
}
