import * as z from 'zod';
import { inOneLine } from '../audit/reason.ts';
import { reachedBy, rolloutStates } from './rollout.ts';
import type { RolloutDetails, StoredRollout } from './rollouts.ts';
import { nextStepAt, waitOf, waits } from './waits.ts';

const Reason = z
  .string()
  .transform((text) => inOneLine(text))
  .optional()
  .describe('Why, for history and audit log: one line, cut after 500 characters.');

/** Body of POST /api/v1/rollouts. The plan is checked by itself, so that its faults are named by their place in it. */
export const NewRolloutJson = z.strictObject({
  tool: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'expected the name of a tool'),
  version: z.string().min(1).max(64),
  plan: z.unknown(),
  reason: Reason,
  dryRun: z
    .boolean()
    .optional()
    .describe(
      'Says what a start would be refused for, also before its version is uploaded; starts nothing. 204: nothing.',
    ),
  packageId: z
    .string()
    .max(128)
    .optional()
    .describe(
      'Of a dry run: the package of a version that is not uploaded; left out, it is named as the tool.',
    ),
});

const Time = z.iso.datetime();

/** Body of POST /api/v1/rollouts/N/ACTION, which may be left out. */
export const RolloutActionJson = z.strictObject({
  reason: Reason,
  step: z
    .int()
    .min(0)
    .optional()
    .describe('The step that it was seen at: 409 when it is at another, so that nothing is done twice.'),
  since: Time.optional().describe('The same for the time since when it is in its state.'),
});

/** A rollout as programs read it (contract section 8). Times are ISO 8601. */
export const RolloutJson = z.object({
  id: z.int(),
  tool: z.string(),
  packageId: z.string(),
  version: z.string(),
  correction: z.string().optional().describe('What replaces the version after a rollback.'),
  state: z.enum(rolloutStates),
  step: z.int().describe('How many steps of the plan have begun.'),
  reached: z.object({ rings: z.array(z.string()).readonly(), percent: z.number() }),
  since: Time.describe('Since when it is in this state.'),
  next: Time.optional().describe('When the next step begins at the earliest.'),
  waitsFor: z.enum(waits).optional().describe('Why the next step does not begin now.'),
  plan: z.unknown().describe('As it was given.'),
  counts: z
    .object({ known: z.int(), eligible: z.int(), admitted: z.int(), received: z.int() })
    .describe('Clients: seen by this server, reached by the steps so far, admitted, and how many have it.'),
  approvals: z.array(z.object({ owner: z.string(), at: Time })),
  alerts: z.array(
    z.object({
      at: Time,
      fingerprint: z.string(),
      labels: z.record(z.string(), z.string()),
      startsAt: Time,
      outcome: z.enum(['halted', 'rolled-back']),
    }),
  ),
  history: z.array(z.object({ at: Time, by: z.string(), action: z.string(), reason: z.string().optional() })),
});
export type RolloutJson = z.infer<typeof RolloutJson>;

export function toRolloutJson(rollout: StoredRollout, details: RolloutDetails): RolloutJson {
  const { id, tool, packageId, version, state, step, since, writtenPlan, approvals } = rollout;
  const { facts, counts, correction, alerts, history } = details;
  const next = nextStepAt(rollout, facts);
  const waitsFor = waitOf(rollout, facts);
  return {
    id,
    tool,
    packageId,
    version,
    ...(correction === undefined ? {} : { correction }),
    state,
    step: step + 1,
    reached: reachedBy(rollout),
    since: timeOf(since),
    ...(next === undefined ? {} : { next: timeOf(next) }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    plan: writtenPlan,
    counts,
    approvals: approvals.map(({ owner, at }) => ({ owner, at: timeOf(at) })),
    alerts: alerts.map((alert) => ({ ...alert, at: timeOf(alert.at), startsAt: timeOf(alert.startsAt) })),
    history: history.map((entry) => ({ ...entry, at: timeOf(entry.at) })),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
