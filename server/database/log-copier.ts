import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** Keeps the write-ahead log short. */
export type LogCopier = {
  /** To be called after each commit, and waited for before the next one. Never rejects. */
  committed(): Promise<void>;
  close(): Promise<void>;
};

export type LogCopierOptions = {
  /** After so many commits the log is copied: some 900 pages of small pushes. */
  readonly everyCommits: number;
  /** How long the thread stays when there is nothing to do: it holds some megabytes. */
  readonly idleMs: number;
  readonly startThread: (file: string) => Worker;
};

/**
 * Copies the log into the database in a thread of its own. SQLite would do so within a commit, which then waits for the disk. Most of it
 * is copied while commits go on. What these add is then copied while none is made, since SQLite begins the log anew only when
 * all of it was copied. If the thread fails the log grows, until the connection that writes copies it itself.
 */
export function openLogCopier(file: string, options: Partial<LogCopierOptions> = {}): LogCopier {
  const { everyCommits = 64, idleMs = 2_000, startThread = startCopying } = options;
  let thread: Worker | undefined;
  let copied = (): void => undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  let commits = 0;
  let state: 'waiting' | 'copying' | 'nearly copied' = 'waiting';

  function start(): Worker {
    const started = startThread(file);
    started.unref();
    const ended = (): void => {
      if (thread !== started) return;
      thread = undefined;
      copied();
    };
    return started.on('message', rest).on('error', ended).on('exit', ended);
  }

  function copy(): Promise<void> {
    clearTimeout(idleTimer);
    return new Promise((resolve) => {
      copied = resolve;
      try {
        thread ??= start();
        thread.postMessage('copy');
      } catch {
        resolve();
      }
    });
  }

  function rest(): void {
    idleTimer = setTimeout(end, idleMs).unref();
    copied();
  }

  async function end(): Promise<void> {
    clearTimeout(idleTimer);
    const old = thread;
    thread = undefined;
    await old?.terminate();
    copied();
  }

  async function copyMost(): Promise<void> {
    state = 'copying';
    const before = commits;
    await copy();
    state = commits === before ? 'waiting' : 'nearly copied';
    commits = 0;
  }

  return {
    async committed() {
      commits += 1;
      if (state === 'waiting' && commits >= everyCommits) void copyMost();
      if (state !== 'nearly copied') return;
      await copy();
      state = 'waiting';
      commits = 0;
    },
    close: end,
  };
}

export function startCopying(file: string): Worker {
  const sqlite = createRequire(import.meta.url).resolve('better-sqlite3');
  return new Worker(program, { eval: true, execArgv: [], workerData: { sqlite, file }, resourceLimits });
}

/** A few objects: the copying itself is SQLite's. */
const resourceLimits = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 };

/** Code as text, as in scans.ts. Whatever goes wrong is tried again after the next commits. */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const Database = require(workerData.sqlite);
const db = new Database(workerData.file, { fileMustExist: true });
db.pragma('fullfsync = ON');
parentPort.on('message', () => {
  try {
    db.pragma('wal_checkpoint(PASSIVE)');
  } catch {}
  parentPort.postMessage('copied');
});
`;
