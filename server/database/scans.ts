import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { addressGroup } from '../../formats/ip-address.ts';
import { FeedError, fail } from '../errors.ts';
import { createFairQueue } from './fair-queue.ts';
import { raw, type Sql } from './sql.ts';
import { textFunctionSources } from './text-functions.ts';

/** Runs long queries beside the main thread, one at a time, each for a limited time (decision 24). */
export type Scans = {
  /**
   * The rows, each an array. A query that is under way already is not begun a second time: `state` tells what it reads.
   * @throws FeedError QUERY_TOO_SLOW when it was given up, QUERY_BUSY when too many wait
   */
  run(query: Sql, options: ScanOptions): Promise<unknown[][]>;
  close(): Promise<void>;
};
export type ScanOptions = {
  /** Goes before those that are not. */
  readonly isQuick: boolean;
  /** Equal numbers mean equal answers. */
  readonly state: number;
  /** The address that asks: addresses take turns. */
  readonly from: string | undefined;
};

export type ScanLimits = {
  /** How long one may run. */
  readonly runMs: number;
  /** How long one may wait for its turn. */
  readonly waitMs: number;
  /** How many may wait. */
  readonly waiting: number;
  /** What is within one row cannot be interrupted: a thread that is not back so long after its time is left alone. */
  readonly graceMs: number;
  /** How long one that was given up is refused without being tried again. */
  readonly refusedMs: number;
};
/** docs/operate/limits.md tells them. */
export const scanLimits: ScanLimits = {
  runMs: 1000,
  waitMs: 5000,
  waiting: 32,
  graceMs: 2000,
  refusedMs: 10_000,
};

/** Stands first in the condition of a query that runs here: SQLite calls it for each row, and it throws when time is up. */
export const inTime = raw('in_time(p.pk)');

/** For how long one that waited in vain is refused. */
const busyMs = 1000;
const cacheKilobytes = 8192;
const maxRefused = 100;

type Job = {
  /** Of the query, whatever it reads: what took too long does so after a download, too. */
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
    // One that starts says so when it can begin: its time is no query's.
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

  /** Without the thread, which ends when SQLite comes back to it. */
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

  /** Express asks again what the response cache was refused. */
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

/** A text, since a file of its own would have another name in a checkout than in what is built of it. */
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
