import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { addressGroup } from '../../formats/ip-address.ts';
import { FeedError, fail } from '../errors.ts';
import { createFairQueue } from './fair-queue.ts';
import { raw, type Sql } from './sql.ts';
import { textFunctionSources } from './text-functions.ts';

/** Runs long queries on another thread, one at a time, with a time limit (decision 24). */
export type Scans = {
  /**
   * The rows, each an array. A query that is already running is not started again: `state` identifies the data that it reads.
   * @throws FeedError QUERY_TOO_SLOW when it was stopped, QUERY_BUSY when too many wait
   */
  run(query: Sql, options: ScanOptions): Promise<unknown[][]>;
  close(): Promise<void>;
};
export type ScanOptions = {
  /** Goes before those that are not quick. */
  readonly isQuick: boolean;
  /** Equal numbers mean equal answers. */
  readonly state: number;
  /** The client's address: addresses take turns. */
  readonly from: string | undefined;
};

export type ScanLimits = {
  /** How long a query may run. */
  readonly runMs: number;
  /** How long a query may wait for its turn. */
  readonly waitMs: number;
  /** How many may wait. */
  readonly waiting: number;
  /** Work within one row cannot be interrupted: a thread that has not stopped this long after its time limit is abandoned. */
  readonly graceMs: number;
  /** How long a stopped query is refused without another try. */
  readonly refusedMs: number;
};
/** Documented in docs/operate/limits.md. */
export const scanLimits: ScanLimits = {
  runMs: 1000,
  waitMs: 5000,
  waiting: 32,
  graceMs: 2000,
  refusedMs: 10_000,
};

/** Comes first in the condition of a query that runs here: SQLite calls it for each row, and it throws when the time is up. */
export const inTime = raw('in_time(p.pk)');

/** How long a query that waited in vain is refused. */
const busyMs = 1000;
const cacheKilobytes = 8192;
const maxRefused = 100;

type Job = {
  /** Identifies the query, independent of the data: a slow query is still slow after a download. */
  readonly key: string;
  readonly query: Sql;
  readonly isQuick: boolean;
  readonly from: string;
  readonly waitTimer: NodeJS.Timeout;
  readonly resolve: (rows: unknown[][]) => void;
  readonly reject: (error: unknown) => void;
};
type Answer =
  | { readonly rows: unknown[][] }
  | { readonly isOutOfTime: boolean; readonly code: string; readonly message: string };

/** @param file the database, which another connection of this process keeps open */
export function openScans(file: string, limits: Partial<ScanLimits> = {}): Scans {
  const { runMs, waitMs, waiting: maxWaiting, graceMs, refusedMs } = { ...scanLimits, ...limits };
  const known = new Map<string, Promise<unknown[][]>>();
  const refused = new Map<string, { readonly error: FeedError; readonly until: number }>();
  const waiting = createFairQueue<Job>(maxWaiting);
  let running: { readonly job: Job; timer?: NodeJS.Timeout } | undefined;
  let thread: Worker | undefined;
  let isClosed = false;

  function next(): void {
    if (running !== undefined) return;
    const job = waiting.next();
    if (job === undefined) return;
    clearTimeout(job.waitTimer);
    running = { job };
    // A new thread reports when it can begin: its start must not count as a query's time.
    if (thread === undefined) thread = startThread();
    else begin(thread);
  }

  function begin(idle: Worker): void {
    if (running === undefined) return;
    const { job } = running;
    running.timer = setTimeout(() => leave(giveUp(job)), runMs + graceMs);
    idle.postMessage({ ...job.query, runMs });
  }

  function startThread(): Worker {
    const started = new Worker(program, {
      eval: true,
      execArgv: [],
      workerData: {
        sqlite: createRequire(import.meta.url).resolve('better-sqlite3'),
        file,
        cacheKilobytes,
        functions: textFunctionSources,
      },
    });
    started.unref();
    started.on('message', (answer: Answer | 'ready') => {
      if (started !== thread) return;
      if (answer === 'ready') begin(started);
      else settle(answer);
    });
    const lost = (error: unknown) => {
      if (started === thread) leave(new FeedError('INTERNAL', {}, error));
    };
    started.on('error', lost);
    started.on('exit', () => lost(new Error('the thread for long queries ended')));
    return started;
  }

  function settle(answer: Answer): void {
    const job = finish();
    if (job === undefined) return;
    if ('rows' in answer) job.resolve(answer.rows);
    else if (answer.isOutOfTime) job.reject(giveUp(job));
    else job.reject(new Error(`${answer.code}: ${answer.message}`));
    next();
  }

  /** Abandons the thread, which ends when SQLite returns to it. */
  function leave(error: unknown): void {
    const old = thread;
    thread = undefined;
    void old?.terminate();
    finish()?.reject(error);
    if (!isClosed) next();
  }

  function finish(): Job | undefined {
    const job = running?.job;
    clearTimeout(running?.timer);
    running = undefined;
    return job;
  }

  function giveUp({ key }: Pick<Job, 'key'>): FeedError {
    return refuse(key, new FeedError('QUERY_TOO_SLOW', { ms: runMs }), refusedMs);
  }

  /** Express asks again after the response cache was refused. */
  function refuse(key: string, error: FeedError, forMs: number): FeedError {
    refused.delete(key);
    refused.set(key, { error, until: performance.now() + forMs });
    const [oldest] = refused.keys();
    if (refused.size > maxRefused && oldest !== undefined) refused.delete(oldest);
    return error;
  }

  function enqueue(key: string, query: Sql, { isQuick, from }: ScanOptions): Promise<unknown[][]> {
    return new Promise((resolve, reject) => {
      const waitTimer = setTimeout(() => {
        waiting.remove(job);
        reject(refuse(key, new FeedError('QUERY_BUSY'), busyMs));
      }, waitMs);
      const job: Job = { key, query, isQuick, from: addressGroup(from ?? ''), waitTimer, resolve, reject };
      const tooMany = waiting.add(job);
      if (tooMany !== undefined) drop(tooMany, 'QUERY_BUSY');
      next();
    });
  }

  function drop({ waitTimer, reject }: Job, code: 'QUERY_BUSY' | 'SHUTTING_DOWN'): void {
    clearTimeout(waitTimer);
    reject(new FeedError(code));
  }

  return {
    async run(query, options) {
      if (isClosed) fail('SHUTTING_DOWN');
      const key = JSON.stringify([query.text, query.values]);
      const keyNow = `${options.state} ${key}`;
      const underWay = known.get(keyNow);
      if (underWay !== undefined) return underWay;
      const verdict = refused.get(key);
      if (verdict !== undefined && verdict.until > performance.now()) throw verdict.error;
      const answer = enqueue(key, query, options).finally(() => known.delete(keyNow));
      known.set(keyNow, answer);
      return answer;
    },
    async close() {
      isClosed = true;
      for (const job of waiting.clear()) drop(job, 'SHUTTING_DOWN');
      const old = thread;
      leave(new FeedError('SHUTTING_DOWN'));
      await old?.terminate();
    },
  };
}

/** Code as text: a separate file would have different names in a checkout and in the build. */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const Database = require(workerData.sqlite);
const db = new Database(workerData.file, { readonly: true, fileMustExist: true });
db.pragma('cache_size = -' + workerData.cacheKilobytes);
for (const [name, source] of workerData.functions) {
  const run = (0, eval)('(' + source + ')');
  db.function(name, { deterministic: true, varargs: true }, (...args) =>
    args.includes(null) ? null : run(String(args[0]), String(args[1])));
}
let end = 0;
const outOfTime = new Error('out of time');
db.function('in_time', (_row) => {
  if (performance.now() > end) throw outOfTime;
  return 1;
});
parentPort.on('message', ({ text, values, runMs }) => {
  end = performance.now() + runMs;
  try {
    parentPort.postMessage({ rows: db.prepare(text).raw().all(...values) });
  } catch (error) {
    const { code = 'INTERNAL', message } = error;
    parentPort.postMessage({ isOutOfTime: error === outOfTime, code, message });
  }
});
parentPort.postMessage('ready');
`;
