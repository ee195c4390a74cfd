import type { Connection } from '../database/connection.ts';
import type { Prepare } from '../database/statements.ts';
import type { Transaction } from '../database/transact.ts';
import { FeedError, isStorageFailure } from '../errors.ts';
import type {
  ActOutcome,
  AppliedAlert,
  HistoryEntry,
  Rollouts,
  StepCount,
  StoredRollout,
} from './rollouts.ts';
import { shareCounts } from './shared-counts.ts';
import {
  admittedTo,
  createClientCounts,
  newAdmissions,
  type RingGlobs,
  readRings,
  writeAdmissions,
} from './sql-admissions.ts';
import { takeAlerts } from './sql-alerts.ts';
import { correct } from './sql-correct.ts';
import { correctionsOf, mainOf } from './sql-corrections.ts';
import { type RawRollout, toRollout, writeState } from './sql-rows.ts';
import { foresee, start } from './sql-start.ts';
import { countSteps } from './sql-step-counts.ts';
import {
  factsOf,
  isChanged,
  readOpen,
  readRollout,
  serverActor,
  type TransitionOptions,
  transition,
  writeTransition,
} from './sql-transition.ts';

export type SqlRolloutsOptions = TransitionOptions & {
  /** Another number after each change of rings; absent: they are read for each client. */
  readonly ringChanges?: () => number;
  /** Called after each change of rollouts, before it is confirmed. */
  readonly changed?: () => void;
};

/** Rollouts in SQLite: transactions come one after the other, so each decides about what the one before left. */
export function createSqlRollouts(db: Connection, options: SqlRolloutsOptions): Rollouts {
  const { prepare, transact, writeStatistics } = db;
  const { now, ringChanges, changed } = options;
  /** Those that are open, for requests of clients: kept until a transition changes them. */
  let known: readonly StoredRollout[] | undefined;
  function openRollouts(): readonly StoredRollout[] {
    known ??= readOpen(prepare);
    return known;
  }

  db.onForeignChange(({ tables }) => {
    if (tables.has('rollouts') || tables.has('rollout_approvals')) known = undefined;
  });

  let rings: { readonly at: number; readonly all: readonly RingGlobs[] } | undefined;
  function knownRings(): readonly RingGlobs[] {
    const at = ringChanges?.();
    if (at === undefined) return readRings(prepare);
    if (rings?.at !== at) rings = { at, all: readRings(prepare) };
    return rings.all;
  }

  /** A transaction after which the open rollouts are read again. */
  function change<T>(work: (transaction: Transaction) => T): Promise<T> {
    return transact((transaction) => {
      transaction.afterCommit(() => {
        known = undefined;
        changed?.();
      });
      return work(transaction);
    });
  }

  const admitting = new Map<string, Promise<void>>();
  /** Clients whose admission failed at the disk: it may be readable and not durable. */
  const unsure = new Set<string>();
  async function admitNow(client: string): Promise<void> {
    let isDecided = false;
    const admission = transact((transaction) => {
      // Decided once more where nothing can come in between: after a halt nobody gets in.
      const isIn = new Set(admittedTo(transaction.prepare, client));
      const rings = () => readRings(transaction.prepare);
      const found = newAdmissions(client, isIn, readOpen(transaction.prepare), rings);
      if (found.length > 0) writeAdmissions(transaction.prepare, client, found, now());
      isDecided = true;
    }).then(
      () => void unsure.delete(client),
      (error: unknown) => {
        // What fails afterwards is the commit or the disk; before, nothing can be read of it, and it may be a mistake of ours.
        if (!isDecided && !isStorageFailure(error)) throw error;
        unsure.add(client);
        throw new FeedError('VIEW_NOT_STORED', {}, error);
      },
    );
    // Others that wait for it fail in the same way.
    admitting.set(client, admission);
    try {
      await admission;
    } finally {
      if (admitting.get(client) === admission) admitting.delete(client);
    }
  }

  function isAdmitted(client: string, isIn: ReadonlySet<number>): boolean {
    return newAdmissions(client, isIn, openRollouts(), knownRings).length === 0;
  }

  const countClients = createClientCounts(prepare);
  const stepCounts = shareCounts<readonly StepCount[]>(
    (rollout) => countSteps(prepare, rollout),
    (counts) => counts.reduce((sum, { admitted }) => sum + admitted, 0),
  );
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
    async main(packageId) {
      return mainOf(prepare, packageId);
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
    countSteps: (rollout) => stepCounts.of(rollout),
    start: (order, request) => change((transaction) => start(transaction, order, request, options)),
    async foresee(order) {
      return foresee(prepare, order, options);
    },
    act: (id, action, request, seen) =>
      change((transaction): ActOutcome | undefined => {
        const rollout = readRollout(transaction.prepare, id);
        if (rollout === undefined) return undefined;
        const hasMoved = seen !== undefined && !isAsSeen(rollout, seen);
        const after = hasMoved ? 'moved' : transition(transaction.prepare, rollout, action, options);
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
        if (!isChanged(rollout, after)) await writeStatistics(() => countTime(prepare, id, options));
        else changed.push(...(await change((transaction) => step(transaction, id, options))));
      }
      const { effects } = options;
      if (effects?.hasLeftovers(prepare) === true)
        await transact((transaction) => effects.sweep(transaction, { by: serverActor }));
      return changed;
    },
    takeAlerts: (alerts, sender) => change((transaction) => takeAlerts(transaction, alerts, sender, options)),
    async admit(client) {
      for (;;) {
        if (openRollouts().length === 0 && !unsure.has(client)) return [];
        const isIn = admittedTo(prepare, client);
        if (!isAdmitted(client, new Set(isIn))) await admitNow(client);
        // An admission can be read before it is durable, and must not be answered then.
        else if (admitting.has(client)) await admitting.get(client);
        else if (unsure.has(client)) await admitNow(client);
        else return isIn;
      }
    },
    isSettled: (client, isIn) => !admitting.has(client) && !unsure.has(client) && isAdmitted(client, isIn),
    async admitted(client) {
      while (admitting.has(client)) await admitting.get(client)?.catch(() => undefined);
      return unsure.has(client) ? [] : admittedTo(prepare, client);
    },
    async receive(client, rollout) {
      const isNew = 'SELECT 1 FROM admissions WHERE client = ? AND rollout = ? AND received IS NULL';
      if (prepare(isNew).get(client, rollout) === undefined) return;
      const sql = 'UPDATE admissions SET received = ? WHERE client = ? AND rollout = ? AND received IS NULL';
      await writeStatistics(() => void prepare(sql).run(now().getTime(), client, rollout));
    },
  };
}

type Seen = Pick<StoredRollout, 'state' | 'step' | 'since'>;

function isAsSeen(rollout: Seen, seen: Seen): boolean {
  return rollout.state === seen.state && rollout.step === seen.step && rollout.since === seen.since;
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

/** Looked at again: on another server somebody may have changed it. */
function countTime(prepare: Prepare, id: number, options: TransitionOptions): void {
  const before = readRollout(prepare, id);
  const after = before && transition(prepare, before, { kind: 'tick' }, options);
  if (before === undefined || after === undefined || typeof after === 'string') return;
  if (!isChanged(before, after)) writeState(prepare, after);
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
