import { actorOf } from '../audit/audit.ts';
import { fail } from '../errors.ts';
import type { KeyTerms, Scope } from '../keys/api-keys.ts';
import type { Rollouts, StoredRollout } from './rollouts.ts';
import type { RolloutAction, RolloutRefusal } from './transitions.ts';

type Terms = {
  /** What a key must be allowed to do. */
  readonly scope: Scope;
  /** More clients may see the version afterwards: it acts on the rollout that was seen, and on no later state. */
  readonly isWider: boolean;
};

/** What people may do to a rollout (contract section 8). */
export const rolloutActions = {
  advance: { scope: 'rollout', isWider: true },
  complete: { scope: 'rollout', isWider: true },
  resume: { scope: 'rollout', isWider: true },
  halt: { scope: 'rollout', isWider: false },
  rollback: { scope: 'rollout', isWider: false },
  approve: { scope: 'approve', isWider: false },
  reject: { scope: 'approve', isWider: false },
} as const satisfies Record<string, Terms>;
export type RolloutActionName = keyof typeof rolloutActions;

export type Performer = {
  /** Has the scope of the action, for the tool. */
  readonly key: KeyTerms;
  readonly from: string | undefined;
  readonly reason?: string | undefined;
  /** What whoever asks has seen of it: its number of begun steps, and since when it was in its state (ISO 8601). */
  readonly seen?: { readonly step?: number | undefined; readonly since?: string | undefined };
};

/**
 * Does something to a rollout as it is now, if it is still as it was seen.
 * @throws FeedError ROLLOUT_NOT_FOUND, ROLLOUT_STATE, ROLLOUT_MOVED, ROLLOUT_UNAPPROVED, APPROVAL_NO_OWNER, APPROVAL_SAME_OWNER
 */
export async function performAction(
  rollouts: Pick<Rollouts, 'act' | 'details'>,
  now: StoredRollout,
  name: RolloutActionName,
  { key, from, reason, seen = {} }: Performer,
): Promise<StoredRollout> {
  const { step = now.step + 1, since = new Date(now.since).toISOString() } = seen;
  const isSeen = step === now.step + 1 && Date.parse(since) === now.since;
  if (step > now.step + 1) return refuse(rollouts, now, 'not there yet', name, key);
  if (!isSeen) return refuse(rollouts, now, 'moved', name, key);
  const isAsked = seen.step !== undefined || seen.since !== undefined;
  const expected = isAsked || rolloutActions[name].isWider ? now : undefined;
  const action: RolloutAction =
    name === 'approve' || name === 'reject' ? { kind: name, owner: key.owner } : { kind: name };
  const request = { by: actorOf(key, from), reason };
  const { rollout, refusal } =
    (await rollouts.act(now.id, action, request, expected)) ?? fail('ROLLOUT_NOT_FOUND', { id: now.id });
  return refusal === undefined ? rollout : refuse(rollouts, rollout, refusal, name, key);
}

async function refuse(
  rollouts: Pick<Rollouts, 'details'>,
  rollout: StoredRollout,
  refusal: RolloutRefusal | 'not there yet',
  action: RolloutActionName,
  { owner = '' }: KeyTerms,
): Promise<never> {
  const { tool, version, state } = rollout;
  if (refusal === 'no-owner') fail('APPROVAL_NO_OWNER', { action });
  if (refusal === 'same-owner') fail('APPROVAL_SAME_OWNER', { tool, version, state, owner, action });
  if (refusal === 'approvals') {
    const { facts } = await rollouts.details(rollout);
    const given = rollout.approvals.length;
    fail('ROLLOUT_UNAPPROVED', { tool, version, state, action, given, needed: facts.approvalsNeeded });
  }
  const step = `step ${rollout.step + 1} of ${rollout.plan.steps.length}`;
  const about = { tool, version, state, step, action };
  if (refusal === 'moved') fail('ROLLOUT_MOVED', { ...about, how: 'has moved on since it was looked at' });
  if (refusal === 'not there yet')
    fail('ROLLOUT_MOVED', { ...about, how: 'is not at the step that was named' });
  return fail('ROLLOUT_STATE', about);
}

/** The rollout of a number as it is written in an address. @throws FeedError ROLLOUT_NOT_FOUND */
export async function findRollout(rollouts: Pick<Rollouts, 'find'>, id: string): Promise<StoredRollout> {
  const number = /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0;
  return (await rollouts.find(number)) ?? fail('ROLLOUT_NOT_FOUND', { id });
}
