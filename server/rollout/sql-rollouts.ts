import { compareNuGetVersions, parseNuGetVersion } from '../../formats/nuget-version.ts';
import type { Connection } from '../database/connection.ts';
import type { Transaction } from '../database/transact.ts';
import { isOpen } from './rollout.ts';
import type {
  ActOutcome,
  AppliedAlert,
  CorrectionOrder,
  CorrectionOutcome,
  HistoryEntry,
  NewRollout,
  RolloutRequest,
  Rollouts,
  StartOutcome,
  StoredRollout,
} from './rollouts.ts';
import {
  admittedTo,
  createClientCounts,
  newAdmissions,
  readRings,
  writeAdmissions,
} from './sql-admissions.ts';
import { takeAlerts } from './sql-alerts.ts';
import { correctionsOf } from './sql-corrections.ts';
import { type RawRollout, toRollout, writeState } from './sql-rows.ts';
import {
  factsOf,
  firingAlert,
  isChanged,
  readOpen,
  readRollout,
  serverActor,
  type TransitionOptions,
  transition,
  writeHistory,
  writeTransition,
} from './sql-transition.ts';
import { begun } from './transitions.ts';
import { isCorrectionOf } from './view-of.ts';

/** Rollouts in SQLite: transactions come one after the other, so each decides about what the one before left. */
export function createSqlRollouts(db: Connection, options: TransitionOptions): Rollouts {
  const { prepare, transact, writeStatistics } = db;
  const { now } = options;
  /** Those that are open, for requests of clients: kept until a transition changes them. */
  let known: readonly StoredRollout[] | undefined;
  function openRollouts(): readonly StoredRollout[] {
    known ??= readOpen(prepare);
    return known;
  }

  /** A transaction after which the open rollouts are read again. */
  function change<T>(work: (transaction: Transaction) => T): Promise<T> {
    return transact((transaction) => {
      transaction.afterCommit(() => {
        known = undefined;
      });
      return work(transaction);
    });
  }

  const admitting = new Map<string, Promise<void>>();
  async function admitNow(client: string): Promise<void> {
    // Decided once more where nothing can come in between: after a halt nobody gets in.
    const admission = transact((transaction) => {
      const found = newAdmissions(transaction.prepare, client, readOpen(transaction.prepare));
      if (found.length > 0) writeAdmissions(transaction.prepare, client, found, now());
    });
    admitting.set(client, admission);
    try {
      await admission;
    } finally {
      if (admitting.get(client) === admission) admitting.delete(client);
    }
  }

  const countClients = createClientCounts(prepare);
  return {
    async list(tool) {
      const where = tool === undefined ? '' : 'WHERE tool = ?';
      const sql = `SELECT * FROM rollouts ${where} ORDER BY id DESC`;
      const rows = prepare(sql).all(...(tool === undefined ? [] : [tool])) as RawRollout[];
      return rows.map((row) => toRollout(row, prepare));
    },
    async listOpen() {
      return readOpen(prepare);
    },
    async find(id) {
      return readRollout(prepare, id);
    },
    async details(rollout) {
      const history = prepare(
        'SELECT at, by, action, reason FROM rollout_history WHERE rollout = ? ORDER BY number',
      ).all(rollout.id) as (Omit<HistoryEntry, 'reason'> & { reason: string | null })[];
      const alerts = prepare('SELECT * FROM rollout_alerts WHERE rollout = ? ORDER BY at').all(
        rollout.id,
      ) as RawApplied[];
      return {
        facts: factsOf(prepare, rollout, options),
        counts: await countClients(rollout),
        correction: correctionsOf(prepare, rollout.id).at(-1),
        alerts: alerts.map(toApplied),
        history: history.map(({ reason, ...rest }) => (reason === null ? rest : { ...rest, reason })),
      };
    },
    start: (order, request) => change((transaction) => start(transaction, order, request, options)),
    act: (id, action, request, seen) =>
      change((transaction): ActOutcome | undefined => {
        const rollout = readRollout(transaction.prepare, id);
        if (rollout === undefined) return undefined;
        const isOther = seen !== undefined && (seen.state !== rollout.state || seen.step !== rollout.step);
        const after = isOther ? 'state' : transition(transaction.prepare, rollout, action, options);
        if (typeof after === 'string') return { rollout, refusal: after };
        writeTransition(transaction, after, action.kind, request, options);
        return { rollout: after };
      }),
    correct: (order, request) => change((transaction) => correct(transaction, order, request, options)),
    discard: (what, request) =>
      change((transaction) => options.effects?.discard(transaction, what, request) ?? 'missing'),
    async tick() {
      const changed: StoredRollout[] = [];
      for (const { id } of readOpen(prepare)) {
        // As it is now: while the one before was written, somebody may have halted this one.
        const rollout = readRollout(prepare, id);
        if (rollout !== undefined && options.effects?.isOvertaken(prepare, rollout) === true) {
          changed.push(...(await change((transaction) => overtake(transaction, id, options))));
          continue;
        }
        const after = rollout && transition(prepare, rollout, { kind: 'tick' }, options);
        if (rollout === undefined || after === undefined || typeof after === 'string') continue;
        // That some seconds have passed may be lost in a power cut: the hold is that much longer.
        if (!isChanged(rollout, after)) writeStatistics(() => writeState(prepare, after));
        else changed.push(...(await change((transaction) => step(transaction, id, options))));
      }
      return changed;
    },
    takeAlerts: (alerts, sender) => change((transaction) => takeAlerts(transaction, alerts, sender, options)),
    async admit(client) {
      for (;;) {
        const open = openRollouts();
        if (open.length === 0) return [];
        if (newAdmissions(prepare, client, open).length > 0) await admitNow(client);
        // An admission can be read before it is durable, and must not be answered then.
        else if (admitting.has(client)) await admitting.get(client);
        else return admittedTo(prepare, client);
      }
    },
    async receive(client, rollout) {
      const sql = 'UPDATE admissions SET received = ? WHERE client = ? AND rollout = ? AND received IS NULL';
      writeStatistics(() => prepare(sql).run(now().getTime(), client, rollout));
    },
  };
}

/** Everybody is offered something higher by now: published by hand, or promoted. */
function overtake(transaction: Transaction, id: number, options: TransitionOptions): StoredRollout[] {
  const before = readRollout(transaction.prepare, id);
  if (before === undefined || options.effects?.isOvertaken(transaction.prepare, before) !== true) return [];
  const after = transition(transaction.prepare, before, { kind: 'supersede' }, options);
  if (typeof after === 'string') return [];
  writeTransition(transaction, after, 'supersede', { by: serverActor }, options);
  return [after];
}

/** Decided anew: since it was looked at outside of the transaction, somebody may have halted it. */
function step(transaction: Transaction, id: number, options: TransitionOptions): StoredRollout[] {
  const before = readRollout(transaction.prepare, id);
  if (before === undefined) return [];
  const after = transition(transaction.prepare, before, { kind: 'tick' }, options);
  if (typeof after === 'string' || !isChanged(before, after)) return [];
  const action = after.state === 'completed' ? 'complete' : 'step';
  writeTransition(transaction, after, action, { by: serverActor }, options);
  return [after];
}

function start(
  transaction: Transaction,
  order: NewRollout,
  request: RolloutRequest,
  options: TransitionOptions,
): StartOutcome {
  const { prepare } = transaction;
  const { tool, packageId, version, plan, owner, writtenPlan } = order;
  // Nobody could tell whether the same person approves it.
  if (owner === undefined && options.approvalsNeeded(order) > 0) return { is: 'no owner' };
  const rows = prepare('SELECT * FROM rollouts WHERE tool = ? ORDER BY id DESC').all(tool) as RawRollout[];
  const before = rows.map((row) => toRollout(row, prepare)).filter(({ state }) => state !== 'rejected');
  const same = before.find((each) => compare(each.version, version) === 0);
  if (same !== undefined && isOpen(same)) {
    if (!isApproved(same, options)) prepareCorrection(transaction, same, request, options);
    return { is: 'there', rollout: same };
  }
  if (same !== undefined) return { is: 'ended', rollout: same };
  const current = before.find(isOpen);
  if (current !== undefined && compare(current.version, version) > 0)
    return { is: 'lower', rollout: current };
  const at = options.now();
  const alert = firingAlert(prepare, order, at.getTime());
  if (alert !== undefined) return { is: 'alerting', alert };
  const ring = emptyRing(transaction, order);
  if (ring !== undefined) return { is: 'empty ring', ring };
  const offered = options.effects?.notBelow(transaction, order);
  if (offered !== undefined) return { is: 'not above', offered };
  const lacks = options.effects?.lacks(transaction, order);
  if (lacks !== undefined) return { is: 'not held', lacks };

  if (current !== undefined) {
    const ended = transition(prepare, current, { kind: 'supersede' }, options);
    if (typeof ended !== 'string') {
      writeTransition(transaction, ended, 'supersede', { ...request, reason: `by ${version}` }, options);
    }
  }
  const facts = factsOf(prepare, order, options);
  const insert = `INSERT INTO rollouts
    (tool, package_id, version, seed, plan, owner, begun_at, state, since, step, held, counted_to)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, -1, 0, ?)`;
  // The same machines go first again, where the one before came to no end.
  const [last] = before;
  const seed = last === undefined || last.state === 'completed' ? `${tool}/${version}` : last.seed;
  const text = JSON.stringify(writtenPlan);
  const { now } = facts;
  const { lastInsertRowid } = prepare(insert).run(
    ...[tool, packageId, version, seed, text, owner ?? null, now, now, now],
  );
  const id = Number(lastInsertRowid);
  const first = begun({ plan, owner }, facts);
  const rollout = { ...first, id, tool, packageId, version, seed, begunAt: now, writtenPlan };
  writeTransition(transaction, rollout, 'start', request, options, 'rollout started');
  prepareCorrection(transaction, rollout, request, options);
  return { is: 'started', rollout };
}

function prepareCorrection(
  transaction: Transaction,
  rollout: StoredRollout,
  request: RolloutRequest,
  options: TransitionOptions,
): void {
  const correction = options.effects?.started(transaction, rollout);
  if (correction !== undefined) writeCorrection(transaction, rollout, correction, request, options);
}

/** What clients get after a rollback is as much a decision as the rollback. */
function writeCorrection(
  transaction: Transaction,
  rollout: StoredRollout,
  version: string,
  { by }: RolloutRequest,
  options: TransitionOptions,
): void {
  const given = rollout.state === 'rolled-back' ? 'is given' : 'is prepared';
  writeHistory(transaction, rollout, 'correct', { by, reason: `${version} ${given}` }, options);
}

function correct(
  transaction: Transaction,
  { tool, version, corrects }: CorrectionOrder,
  request: RolloutRequest,
  options: TransitionOptions,
): CorrectionOutcome {
  const sql = `SELECT * FROM rollouts WHERE tool = ? AND state IN ('pending', 'rolling', 'halted', 'rolled-back')`;
  const rows = transaction.prepare(sql).all(tool) as RawRollout[];
  const row = rows.find((one) => compare(one.version, corrects) === 0);
  if (row === undefined) return 'missing';
  const rollout = toRollout(row, transaction.prepare);
  const isKnown = correctionsOf(transaction.prepare, rollout.id).includes(version);
  if (!isKnown && isApproved(rollout, options)) return 'approved';
  if (options.effects?.corrected(transaction, rollout, version, request) !== true) return 'unfit';
  // A beta waits for the rollback, with its correction.
  const isUsed = rollout.state === 'rolled-back' || isCorrectionOf(version, rollout.version);
  if (!isKnown && isUsed) writeCorrection(transaction, rollout, version, request, options);
  return 'taken';
}

/** Whether others have approved what its clients get, so that nothing may be put in its place (APPROVALS). */
function isApproved(rollout: StoredRollout, { approvalsNeeded }: TransitionOptions): boolean {
  return approvalsNeeded(rollout) > 0 && (rollout.state !== 'pending' || rollout.approvals.length > 0);
}

/** A ring of the plan to which no client belongs that was ever seen: its step would reach nobody. */
function emptyRing({ prepare }: Transaction, { plan }: NewRollout): string | undefined {
  const rings = new Map(readRings(prepare).map(({ name, globs }) => [name, globs]));
  // Globs of clients have no other wildcards than SQLite's, and both sides are in lower case.
  const hasClient = (glob: string): boolean =>
    prepare('SELECT 1 FROM clients WHERE id GLOB ? LIMIT 1').get(glob) !== undefined;
  return plan.steps
    .flatMap((each) => ('ring' in each ? [each.ring] : []))
    .find((name) => !(rings.get(name) ?? []).some(hasClient));
}

function compare(one: string, other: string): number {
  const [first, second] = [parseNuGetVersion(one), parseNuGetVersion(other)];
  return first === undefined || second === undefined ? 0 : compareNuGetVersions(first, second);
}

type RawApplied = {
  fingerprint: string;
  labels: string;
  starts_at: number;
  at: number;
  outcome: AppliedAlert['outcome'];
};

function toApplied({ fingerprint, labels, starts_at: startsAt, at, outcome }: RawApplied): AppliedAlert {
  return { fingerprint, labels: JSON.parse(labels) as AppliedAlert['labels'], startsAt, at, outcome };
}
