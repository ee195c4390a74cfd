import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import type { OperatorWorld } from '../../server/operator/world.ts';
import { productDir } from './house.ts';

export type Said = { readonly stdout: string; readonly stderr: string; readonly error: Error | undefined };

/** Runs a verb of the operator as main.ts does, on this data folder. */
export async function runVerb(
  createCommand: (world: OperatorWorld) => Command,
  dataDir: string,
  ...args: string[]
): Promise<Said> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const command = createCommand({
    env: { PATH: process.env.PATH, DATA_DIR: dataDir },
    stdout,
    stderr,
    productDir,
    cwd: dataDir,
    signal: new AbortController().signal,
    version: '0.0.0-test',
  });
  command.exitOverride();
  let error: Error | undefined;
  try {
    await command.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  return { stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? ''), error };
}
