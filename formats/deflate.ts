import { on } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { Deflate } from 'fflate';

/**
 * The compressor: fflate (pinned exactly) at level 6. Piece size and table size are fixed too, since both change the output.
 * 33 MB of buf.exe: 2.1 % larger than `zip -6`; level 9 takes twice the time for 0.1 %.
 */
export const pieceBytes = 65_536;
export const deflateOptions = { level: 6, mem: 8 } as const;

/** In its own buffer, which may be transferred. */
export type Piece = { readonly piece: Uint8Array; readonly isLast: boolean };

/** The only piece of its data, at once. */
export function deflateHere({ piece, isLast }: Piece): readonly Uint8Array[] {
  const ready: Uint8Array[] = [];
  new Deflate(deflateOptions, (chunk) => ready.push(chunk)).push(piece, isLast);
  return ready;
}

/**
 * The same compressor in a thread of its own, with the same output: several packages are made on several cores, and hashing,
 * files and network go on meanwhile. fflate has threads too (AsyncDeflate), but no bounds for what they hold.
 */
export async function* deflateBeside(pieces: AsyncIterable<Piece>): AsyncGenerator<Uint8Array> {
  const workerData = { fflate: createRequire(import.meta.url).resolve('fflate'), options: deflateOptions };
  const thread = new Worker(program, {
    eval: true,
    workerData,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 },
  });
  const messages = on(thread, 'message', { close: ['exit'] });
  const answer = async (): Promise<readonly Uint8Array[]> => {
    const { value, done } = await messages.next();
    if (done) throw new Error('The thread that compresses ended before its work did.');
    return (value as [readonly Uint8Array[]])[0];
  };
  let underWay = 0;
  try {
    for await (const { piece, isLast } of pieces) {
      thread.postMessage({ piece, isLast }, [piece.buffer as ArrayBuffer]);
      underWay += 1;
      // the thread has the next piece already while this one's output is written
      if (underWay > 1) {
        yield* await answer();
        underWay -= 1;
      }
    }
    for (; underWay > 0; underWay -= 1) yield* await answer();
  } finally {
    await thread.terminate();
  }
}

/** Source text, because a separate file would have another name in a checkout than in the build. */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const { Deflate } = require(workerData.fflate);
let ready = [];
const deflate = new Deflate(workerData.options, (chunk) => ready.push(chunk));
parentPort.on('message', ({ piece, isLast }) => {
  deflate.push(piece, isLast);
  const chunks = ready;
  ready = [];
  parentPort.postMessage(chunks, chunks.map(({ buffer }) => buffer));
});
`;
