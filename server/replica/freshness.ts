import { setTimeout as delay } from 'node:timers/promises';
import { FeedError, fail } from '../errors.ts';
import { type CatchUpDeps, catchUp } from './catch-up.ts';
import type { Commit } from './copy.ts';
import { keepSession } from './kept-session.ts';
import { createLease } from './lease.ts';
import type { Postgres, Session } from './postgres.ts';

export type Freshness = {
  /** Whether the copy has everything that anybody was told so far. */
  isFresh(): boolean;
  /** Resolves when it has. @throws FeedError COPY_BEHIND when the database does not answer */
  refresh(): Promise<void>;
  /**
   * Asks the database, and copies what is missing, for as long as it takes.
   * @throws FeedError DATABASE_UNREACHABLE, DATABASE_READ_ONLY
   */
  catchUp(): Promise<void>;
  /** Whether the database did not answer the last question. */
  isAway(): boolean;
  /** Rejects when the database does not answer soon: for those who ask whether this replica is of use. */
  ping(): Promise<void>;
  /** The copy's revision, and the milliseconds since it was last known to be whole. */
  state(): { readonly revision: number; readonly unconfirmedMs: number };
  /** Asks again and again from now on; call it once. */
  start(): void;
  close(): void;
};

export type FreshnessDeps = CatchUpDeps & {
  readonly postgres: Postgres;
  readonly copyAnew: () => Promise<void>;
  readonly trustMs: number;
  /** After each question, with what went wrong. */
  readonly asked: (error?: unknown) => void;
};

/** While somebody asks for something, the next question to the database follows so long after the one before. */
const busyMs = 20;
const idleMs = 500;
/** So long after the last request it is idle. */
const restMs = 2_000;
/** An answer that takes longer is given up, and the connection with it. */
const answerMs = 1_000;
/**
 * Who asks whether this replica is of use waits so long. With the time for which readiness.ts keeps its answer it stays below the two
 * seconds after which a replica without its database is unready (contract section 10).
 */
export const pingMs = 700;
/** A request waits so long for a database that is away. */
const patienceMs = 2_500;
const pauseMs = 100;

/** Compares the copy with the database, so often that requests hardly ever wait for it. */
export function createFreshness(
  deps: FreshnessDeps,
  clock: () => number = () => performance.now(),
): Freshness {
  const { copy, postgres, copyAnew, trustMs, asked } = deps;
  const lease = createLease(clock, trustMs);
  const session = keepSession(postgres);
  let asking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lastWanted = Number.NEGATIVE_INFINITY;
  let isClosed = false;
  let isAway = false;

  async function ask(): Promise<void> {
    const askedAt = clock();
    const before = copy.at();
    const used = await session.open();
    let isAnswered = false;
    // An answer that this process was too busy to read so far is read before that.
    const giveUp = (): void => void setImmediate(() => isAnswered || used.close());
    const silent = setTimeout(giveUp, answerMs);
    try {
      // A standby lags behind, and does not know it.
      const [row] = await used.query(
        'SELECT revision, token FROM replica_state WHERE NOT pg_is_in_recovery()',
      );
      const [revision, token] = row ?? fail('DATABASE_READ_ONLY', { database: postgres.name });
      const found: Commit = { revision: Number(revision), token: String(token) };
      isAnswered = true;
      clearTimeout(silent);
      // A database that has less than the copy went back: a dump was restored, or a standby took over that lacked something.
      const isWhole = found.revision >= before.revision && (await readOn(used, found));
      // Another copy may have been under way, of a state from before this question.
      if (isWhole) lease.renew(askedAt);
      else await copyAnew();
    } catch (error) {
      used.close();
      throw error;
    } finally {
      clearTimeout(silent);
    }
  }

  /** In one state of the database. */
  async function readOn(used: Session, found: Commit): Promise<boolean> {
    if (copy.at().revision >= found.revision) return catchUp(deps, used, found);
    await used.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const isWhole = await catchUp(deps, used, found);
    await used.run('COMMIT');
    return isWhole;
  }

  function askOnce(): Promise<void> {
    asking ??= ask()
      .then(
        () => report(),
        (error) => {
          report(error);
          throw error;
        },
      )
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  function report(error?: unknown): void {
    isAway = error !== undefined;
    if (!isClosed) asked(error);
  }

  async function refresh(): Promise<void> {
    lastWanted = clock();
    const since = lastWanted;
    for (;;) {
      let problem: unknown;
      try {
        await Promise.race([askOnce(), givenUp(since + patienceMs - clock())]);
      } catch (error) {
        problem = error;
      }
      // A question that began after the request is enough for it, however long the answer took on a busy machine.
      if (lease.confirmedAt() >= since || lease.isValid()) return;
      if (isClosed || clock() - since > patienceMs) throw new FeedError('COPY_BEHIND', {}, problem);
      if (problem !== undefined) await delay(pauseMs);
    }
  }

  function again(): void {
    if (isClosed) return;
    const wait = clock() - lastWanted < restMs ? busyMs : idleMs;
    timer = setTimeout(() => {
      askOnce()
        .catch(() => undefined)
        .finally(again);
    }, wait).unref();
  }

  return {
    isFresh() {
      lastWanted = clock();
      return lease.isValid();
    },
    refresh,
    async catchUp() {
      while (!isClosed && lease.confirmedAt() === Number.NEGATIVE_INFINITY) await askOnce();
    },
    isAway: () => isAway,
    async ping() {
      if (!lease.isValid()) await Promise.race([askOnce(), givenUp(pingMs)]);
    },
    state: () => ({
      revision: copy.at().revision,
      unconfirmedMs: Math.max(0, clock() - lease.confirmedAt()),
    }),
    start: again,
    close() {
      isClosed = true;
      clearTimeout(timer);
      session.close();
    },
  };
}

async function givenUp(ms: number): Promise<never> {
  await delay(Math.max(0, ms), undefined, { ref: false });
  throw new Error('the database is silent');
}
