import { open } from 'node:fs/promises';
import { makeTinyExe } from '../test/kit/exe.ts';

/**
 * An exe of this size whose bytes compress as those of real programs do: the header of a Windows program, then Node itself,
 * repeated as often as needed. `stamp` makes two of them differ.
 */
export async function makeBigExe(sizeBytes: number, stamp: string): Promise<Buffer> {
  const exe = Buffer.alloc(sizeBytes);
  let filled = makeTinyExe({ filler: stamp }).copy(exe);
  const program = await open(process.execPath);
  try {
    while (filled < sizeBytes) {
      let at = 0;
      for (let count = -1; count !== 0 && filled < sizeBytes; filled += count, at += count) {
        const { bytesRead } = await program.read(exe, filled, sizeBytes - filled, at);
        count = bytesRead;
      }
    }
  } finally {
    await program.close();
  }
  return exe;
}
