import type { Actor, Change } from '../audit/audit.ts';
import type { Prepare } from '../database/statements.ts';
import type { Transaction } from '../database/transact.ts';
import { matchesGlob } from '../keys/glob.ts';
import { type Alert, concerns, isFiring, partOfLabels } from './alerts.ts';
import type { RolloutRequest, StoredRollout } from './rollouts.ts';
import type { RolloutEffects } from './sql-effect-types.ts';

import { type RawRollout, toRollout, writeState } from './sql-rows.ts';
import { act, type RolloutAction, type RolloutRefusal } from './transitions.ts';
import type { RolloutFacts } from './waits.ts';

export type TransitionOptions = {
  readonly now: () => Date;
  /** By the setting APPROVALS. */
  readonly approvalsNeeded: (of: Pick<StoredRollout, 'tool' | 'packageId'>) => number;
  /** What rollouts do to packages and manifests; absent where there are none. */
  readonly effects?: RolloutEffects;
};

/** Time passes by the server itself. */
export const serverActor: Actor = { keyId: 'server', keyName: 'server', from: 'this machine' };

const open = "state IN ('pending', 'rolling', 'halted')";

export function readOpen(prepare: Prepare): StoredRollout[] {
  const rows = prepare(`SELECT * FROM rollouts WHERE ${open} ORDER BY id`).all() as RawRollout[];
  return rows.map((row) => toRollout(row, prepare));
}

export function readRollout(prepare: Prepare, id: number): StoredRollout | undefined {
  const row = prepare('SELECT * FROM rollouts WHERE id = ?').get(id) as RawRollout | undefined;
  return row && toRollout(row, prepare);
}

type Limited = { readonly ids: string };
type RawAlert = { readonly labels: string; readonly starts_at: number };

/** An alert that is firing and concerns it. Keys that are limited to other tools say nothing about this one. */
export function firingAlert(
  prepare: Prepare,
  rollout: Pick<StoredRollout, 'tool' | 'plan'>,
  now: number,
): Pick<Alert, 'labels'> | undefined {
  const limits = prepare('SELECT DISTINCT ids FROM firing_alerts').all() as Limited[];
  const ofLimit = prepare(
    'SELECT labels, starts_at FROM firing_alerts WHERE ids = ? AND instr(labels, ?) > 0',
  );
  const part = partOfLabels(rollout);
  return limits
    .filter((limit) => isAbout(limit, rollout))
    .flatMap(({ ids }) => ofLimit.all(ids, part) as RawAlert[])
    .map(({ labels, starts_at: startsAt }) => ({
      labels: JSON.parse(labels) as Alert['labels'],
      status: 'firing' as const,
      startsAt,
    }))
    .find((alert) => isFiring(alert, now) && concerns(alert, rollout));
}

function isAbout({ ids }: Limited, { tool }: Pick<StoredRollout, 'tool'>): boolean {
  const globs = JSON.parse(ids) as string[];
  return globs.length === 0 || globs.some((glob) => matchesGlob(glob, tool));
}

export function factsOf(
  prepare: Prepare,
  rollout: Pick<StoredRollout, 'tool' | 'packageId' | 'plan'> & Partial<Pick<StoredRollout, 'id' | 'state'>>,
  { now, approvalsNeeded, effects }: TransitionOptions,
): RolloutFacts {
  const { id, state = 'pending' } = rollout;
  const at = now().getTime();
  const received = `SELECT count(*) AS count FROM
    (SELECT 1 FROM admissions WHERE rollout = ? AND received IS NOT NULL LIMIT ?)`;
  const enough = Math.max(...rollout.plan.steps.map(({ needs }) => needs));
  const beats = prepare('SELECT ids, at FROM heartbeats').all() as (Limited & { readonly at: number })[];
  const heard = beats.filter((beat) => isAbout(beat, rollout)).map((beat) => beat.at);
  return {
    now: at,
    approvalsNeeded: approvalsNeeded(rollout),
    received: (prepare(received).get(id ?? 0, enough) as { count: number }).count,
    heartbeat: heard.length === 0 ? undefined : Math.max(...heard),
    isAlerting: state === 'pending' && firingAlert(prepare, rollout, at) !== undefined,
    lacksCorrection: id !== undefined && effects?.lacksCorrection(prepare, { ...rollout, id }) === true,
  };
}

/** What an action makes of a rollout, as it would be kept. */
export function transition(
  prepare: Prepare,
  rollout: StoredRollout,
  action: RolloutAction,
  options: TransitionOptions,
): StoredRollout | RolloutRefusal {
  const after = act(rollout, action, factsOf(prepare, rollout, options));
  if (typeof after === 'string') return after;
  const hasBegun = rollout.state === 'pending' && after.state === 'rolling';
  return { ...rollout, ...after, begunAt: hasBegun ? after.since : rollout.begunAt };
}

/** Whether more has changed than the time that was counted. */
export function isChanged(before: StoredRollout, after: StoredRollout): boolean {
  return (
    before.state !== after.state ||
    before.step !== after.step ||
    before.approvals.length !== after.approvals.length
  );
}

/** Writes what an action made of a rollout, with its history, its audit entry and its effects. */
export function writeTransition(
  transaction: Transaction,
  after: StoredRollout,
  action: string,
  request: RolloutRequest,
  options: TransitionOptions,
  kind: Change['kind'] = 'rollout changed',
): void {
  if (after.state === 'rolling') supersedeBefore(transaction, after, request, options);
  writeState(transaction.prepare, after);
  if (after.state === 'completed') drawAfresh(transaction.prepare, after);
  writeHistory(transaction, after, action, request, options, kind);
  options.effects?.changed(transaction, after, request);
}

/**
 * Ends what a rollout takes the place of: those before it of the tool, once it rolls. While it is pending that is only one which
 * is pending as well, and the one that rolls goes on.
 */
export function supersedeBefore(
  transaction: Transaction,
  { id, tool, version, state }: Pick<StoredRollout, 'tool' | 'version' | 'state'> & { readonly id?: number },
  request: RolloutRequest,
  options: TransitionOptions,
): void {
  for (const before of readOpen(transaction.prepare)) {
    const isBefore = before.tool === tool && before.id < (id ?? Number.POSITIVE_INFINITY);
    if (!isBefore || (state === 'pending' && before.state !== 'pending')) continue;
    const ended = transition(transaction.prepare, before, { kind: 'supersede' }, options);
    if (typeof ended === 'string') continue;
    writeTransition(transaction, ended, 'supersede', { ...request, reason: `by ${version}` }, options);
  }
}

/** The one that comes after a completed one has no predecessor: while it is pending nobody was admitted by its seed yet. */
function drawAfresh(prepare: Prepare, { tool }: Pick<StoredRollout, 'tool'>): void {
  prepare("UPDATE rollouts SET seed = tool || '/' || version WHERE tool = ? AND state = 'pending'").run(tool);
}

/** What was done, by whom and why: in its history and in the audit log. */
export function writeHistory(
  { prepare, record }: Transaction,
  after: StoredRollout,
  action: string,
  { by, reason }: RolloutRequest,
  { now }: Pick<TransitionOptions, 'now'>,
  kind: Change['kind'] = 'rollout changed',
): void {
  const at = now();
  const insert = `INSERT INTO rollout_history (rollout, number, at, by, action, reason)
    SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ?, ? FROM rollout_history WHERE rollout = ?`;
  prepare(insert).run(after.id, at.getTime(), by.keyName, action, reason ?? null, after.id);
  const steps = `step ${after.step + 1} of ${after.plan.steps.length}`;
  const detail = [`${action}: ${after.state}, ${steps}`, ...(reason === undefined ? [] : [reason])].join(
    '; ',
  );
  record({ kind, subject: after.tool, version: after.version, detail }, by, at);
}
