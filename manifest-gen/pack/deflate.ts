import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { Deflate } from 'fflate';

/**
 * The compressor: fflate (pinned exactly) at level 6. Piece size and table size are fixed too, since both change the output.
 * 33 MB of buf.exe: 2.1 % larger than `zip -6`; level 9 takes twice the time for 0.1 %.
 */
export const pieceBytes = 65_536;
export const deflateOptions = { level: 6, mem: 8 } as const;

/** In a buffer of its own, which may be given away. */
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
  let underWay: Promise<Uint8Array[]> | undefined;
  const answer = async (): Promise<Uint8Array[]> => {
    const [chunks] = await once(thread, 'message');
    return chunks as Uint8Array[];
  };
  try {
    for await (const { piece, isLast } of pieces) {
      // the next piece is read and hashed while this one is compressed
      if (underWay !== undefined) yield* await underWay;
      underWay = answer();
      // it is looked at once the next piece is here; until then nobody waits for it
      underWay.catch(() => undefined);
      thread.postMessage({ piece, isLast }, [piece.buffer as ArrayBuffer]);
    }
    if (underWay !== undefined) yield* await underWay;
  } finally {
    await thread.terminate();
  }
}

/** A text, since a file of its own would have another name in a checkout than in what is built of it. */
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
