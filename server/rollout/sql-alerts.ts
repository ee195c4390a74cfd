import type { Prepare } from '../database/statements.ts';
import type { Transaction } from '../database/transact.ts';
import { matchesGlob } from '../keys/glob.ts';
import {
  type Alert,
  actsOn,
  alertLifeMs,
  clockSkewMs,
  isFiring,
  isWatchdog,
  keptLabels,
  nameOf,
} from './alerts.ts';
import type { AlertSender, AppliedAlert, StoredRollout } from './rollouts.ts';
import {
  isChanged,
  readOpen,
  type TransitionOptions,
  transition,
  writeTransition,
} from './sql-transition.ts';

/** Rows that are kept of one key; the alerts that began first go first. */
const maxAlerts = 10_000;

/** All that a webhook brings, in the order in which it brings it. Answers with the rollouts that changed. */
export function takeAlerts(
  transaction: Transaction,
  alerts: readonly Alert[],
  sender: AlertSender,
  options: TransitionOptions,
): StoredRollout[] {
  const { prepare } = transaction;
  const at = options.now();
  const changed: StoredRollout[] = [];
  let open = readOpen(prepare);
  for (const alert of alerts) {
    if (isWatchdog(alert)) {
      if (alert.status === 'firing') noteHeartbeat(prepare, sender, at);
      continue;
    }
    remember(prepare, { ...alert, startsAt: beginOf(prepare, alert, sender, at) }, sender, at);
    const stopped = open.flatMap((rollout) => apply(transaction, alert, rollout, sender, options) ?? []);
    changed.push(...stopped);
    // The next alert finds what this one left.
    if (stopped.length > 0) open = readOpen(prepare);
  }
  forgetOld(prepare, sender, at);
  return changed;
}

/** One that begins later than clocks may differ has begun now, or when it came first: otherwise it would never grow old. */
function beginOf(
  prepare: Prepare,
  { fingerprint, startsAt }: Alert,
  { by: { keyId } }: AlertSender,
  at: Date,
): number {
  if (startsAt <= at.getTime() + clockSkewMs) return startsAt;
  const sql = 'SELECT starts_at FROM firing_alerts WHERE fingerprint = ? AND key_id = ?';
  const known = prepare(sql).get(fingerprint, keyId) as { starts_at: number } | undefined;
  return Math.min(known?.starts_at ?? at.getTime(), at.getTime());
}

function apply(
  transaction: Transaction,
  alert: Alert,
  rollout: StoredRollout,
  { by, ids }: AlertSender,
  options: TransitionOptions,
): StoredRollout | undefined {
  const { prepare } = transaction;
  const isForeign = ids.length > 0 && !ids.some((glob) => matchesGlob(glob, rollout.tool));
  if (isForeign || !actsOn(alert, rollout) || hasActed(prepare, alert, rollout)) return undefined;
  const after = transition(prepare, rollout, { kind: 'alert' }, options);
  if (typeof after === 'string' || !isChanged(rollout, after)) return undefined;
  const at = options.now();
  writeTransition(transaction, after, 'alert', { by, reason: `alert ${nameOf(alert)}` }, options);
  const insert = `INSERT INTO rollout_alerts (rollout, fingerprint, starts_at, at, labels, outcome)
    VALUES (?, ?, ?, ?, ?, ?)`;
  const { fingerprint, startsAt } = alert;
  const labels = keptLabels(alert);
  const outcome = after.state as AppliedAlert['outcome'];
  prepare(insert).run(rollout.id, fingerprint, startsAt, at.getTime(), JSON.stringify(labels), outcome);
  return after;
}

/** Alertmanager repeats what goes on firing: whoever resumed in between knew of it. */
function hasActed(prepare: Prepare, { fingerprint, startsAt }: Alert, { id }: StoredRollout): boolean {
  const sql = 'SELECT 1 FROM rollout_alerts WHERE rollout = ? AND fingerprint = ? AND starts_at = ?';
  return prepare(sql).get(id, fingerprint, startsAt) !== undefined;
}

function noteHeartbeat(prepare: Prepare, { by, ids }: AlertSender, at: Date): void {
  const upsert = `INSERT INTO heartbeats (key_id, ids, at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET ids = excluded.ids, at = excluded.at`;
  prepare(upsert).run(by.keyId, JSON.stringify(ids), at.getTime());
}

function remember(prepare: Prepare, alert: Alert, { by, ids }: AlertSender, at: Date): void {
  const { fingerprint, startsAt } = alert;
  if (isFiring(alert, at.getTime())) {
    const upsert = `INSERT INTO firing_alerts (fingerprint, key_id, ids, starts_at, labels) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET ids = excluded.ids, starts_at = excluded.starts_at, labels = excluded.labels`;
    prepare(upsert).run(
      fingerprint,
      by.keyId,
      JSON.stringify(ids),
      startsAt,
      JSON.stringify(keptLabels(alert)),
    );
  } else {
    // A key for all tools speaks for the others, too.
    const sql = 'DELETE FROM firing_alerts WHERE fingerprint = ? AND (key_id = ? OR ?)';
    prepare(sql).run(fingerprint, by.keyId, ids.length === 0 ? 1 : 0);
  }
}

function forgetOld(prepare: Prepare, { by }: AlertSender, at: Date): void {
  prepare('DELETE FROM firing_alerts WHERE starts_at <= ?').run(at.getTime() - alertLifeMs);
  prepare(
    `DELETE FROM firing_alerts WHERE (fingerprint, key_id) IN (SELECT fingerprint, key_id FROM firing_alerts
      WHERE key_id = ? ORDER BY starts_at DESC LIMIT -1 OFFSET ?)`,
  ).run(by.keyId, maxAlerts);
}
