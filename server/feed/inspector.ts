import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { FormatError, type FormatErrorCode } from '../../formats/format-error.ts';
import type { NupkgLimits } from '../../formats/nupkg.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import { FeedError, fail } from '../errors.ts';
import { type Inspect, type Inspection, inspectHere } from './inspect.ts';
import { type Answer, type Call, receiveError } from './inspection-calls.ts';

export type Inspector = {
  readonly inspect: Inspect;
  /** What is under way ends with SHUTTING_DOWN. */
  close(): Promise<void>;
};

export type InspectorOptions = {
  /** How long the thread stays when there is nothing to do: it holds some megabytes. */
  readonly idleMs: number;
  readonly startThread: () => Worker;
};

/** What is inspected on the main thread, in a few milliseconds at most: nearly all small packages. */
const quickLimits: Partial<NupkgLimits> = {
  maxEntries: 32,
  maxTotalBytes: 256 * 1024,
  nuspec: { maxBytes: 64 * 1024, maxElements: 500 },
};
const quickRefusals: ReadonlySet<FormatErrorCode> = new Set([
  'ZIP_TOO_MANY',
  'ZIP_TOTAL_TOO_LARGE',
  'XML_TOO_LARGE',
  'XML_TOO_MANY',
]);

/**
 * Inspects packages without holding up who reads meanwhile: what may take long does so in a thread of its own, which sees the same
 * bytes and has the same limits.
 */
export function createInspector(options: Partial<InspectorOptions> = {}): Inspector {
  const { idleMs = 10_000, startThread = startInspectionThread } = options;
  let thread: Thread | undefined;
  let underWay = 0;
  let idleTimer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function takeThread(): Thread {
    if (isClosed) fail('SHUTTING_DOWN');
    clearTimeout(idleTimer);
    if (thread === undefined || thread.isLost()) thread = connect(startThread());
    underWay += 1;
    return thread;
  }

  function giveBack(): void {
    underWay -= 1;
    if (underWay === 0 && !isClosed) idleTimer = setTimeout(endThread, idleMs);
  }

  async function endThread(cause?: FeedError): Promise<void> {
    const old = thread;
    thread = undefined;
    await old?.end(cause);
  }

  async function inspectBeside(content: string | Buffer): Promise<Inspection> {
    const used = takeThread();
    try {
      const { inspection, nuspec } = await used.open(content);
      return {
        nuspec,
        verify: () => used.verify(inspection),
        close: () => used.close(inspection).finally(giveBack),
      };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  return {
    async inspect(content) {
      if (typeof content === 'string') return inspectBeside(content);
      try {
        return await inspectHere(content, quickLimits);
      } catch (error) {
        if (error instanceof FormatError && quickRefusals.has(error.code)) return inspectBeside(content);
        throw error;
      }
    },
    async close() {
      isClosed = true;
      clearTimeout(idleTimer);
      await endThread(new FeedError('SHUTTING_DOWN'));
    },
  };
}

type Thread = ReturnType<typeof connect>;
type Waiting = { resolve(nuspec: Nuspec | undefined): void; reject(error: unknown): void };

/** Calls and their answers, each with its number. */
function connect(worker: Worker) {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let lost: FeedError | undefined;

  function lose(cause: unknown): void {
    lost ??= cause instanceof FeedError ? cause : new FeedError('INTERNAL', {}, cause);
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
  }
  worker.on('message', (answer: Answer) => {
    const asked = waiting.get(answer.number);
    waiting.delete(answer.number);
    if ('error' in answer) asked?.reject(receiveError(answer.error));
    else asked?.resolve(answer.nuspec);
  });
  worker.on('messageerror', lose);
  worker.on('error', lose);
  worker.on('exit', () => lose(new Error('the thread that inspects packages ended')));

  function ask(call: Call, transfer: readonly ArrayBuffer[] = []): Promise<Nuspec | undefined> {
    return new Promise((resolve, reject) => {
      if (lost !== undefined) {
        reject(lost);
        return;
      }
      waiting.set(call.number, { resolve, reject });
      worker.postMessage(call, [...transfer]);
    });
  }

  return {
    isLost: () => lost !== undefined,
    async open(content: string | Buffer) {
      const number = ++last;
      // A copy that is handed over: the memory of a Buffer may hold more than it shows.
      const sent = typeof content === 'string' ? content : new Uint8Array(content);
      const transfer = typeof sent === 'string' ? [] : [sent.buffer];
      const nuspec = await ask({ number, does: 'open', content: sent }, transfer);
      return { inspection: number, nuspec: nuspec ?? fail('INTERNAL') };
    },
    async verify(inspection: number) {
      await ask({ number: ++last, does: 'verify', inspection });
    },
    /** With the thread its files are gone. */
    async close(inspection: number) {
      await ask({ number: ++last, does: 'close', inspection }).catch(() => undefined);
    },
    async end(cause: FeedError = new FeedError('INTERNAL')) {
      lose(cause);
      await worker.terminate();
    },
  };
}

export function startInspectionThread(): Worker {
  const place = (suffix: string) => new URL(`./inspection-thread.${suffix}`, import.meta.url);
  if (import.meta.url.endsWith('.js')) return new Worker(place('js'), { execArgv: [] });
  const loader = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const workerData = { loader, program: fileURLToPath(place('ts')) };
  return new Worker(checkoutProgram, { eval: true, execArgv: [], workerData });
}

/** In a checkout the thread's program is TypeScript. */
const checkoutProgram = `
const { loader, program } = require('node:worker_threads').workerData;
require(loader).register();
require(program);
`;
