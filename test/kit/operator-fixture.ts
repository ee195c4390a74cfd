import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Command, CommanderError } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { productDir } from './test-server.ts';

export type Said = {
  readonly stdout: string;
  readonly stderr: string;
  readonly error: Error | undefined;
  /** As main.ts ends with it. */
  readonly code: number;
};

/** Runs a verb of the operator as main.ts does, on this data folder. */
export function runVerb(
  createCommand: (invocation: Invocation) => Command,
  dataDir: string,
  ...args: string[]
): Promise<Said> {
  return runVerbWith({}, createCommand, dataDir, ...args);
}

/** With further settings in the environment. */
export async function runVerbWith(
  env: Readonly<Record<string, string>>,
  createCommand: (invocation: Invocation) => Command,
  dataDir: string,
  ...args: string[]
): Promise<Said> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const command = createCommand({
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, ...env },
    stdout,
    stderr,
    productDir,
    cwd: dataDir,
    signal: new AbortController().signal,
    version: '0.0.0-test',
  });
  command.exitOverride().configureOutput({ writeErr: (words) => void stderr.write(words) });
  let error: Error | undefined;
  try {
    await command.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  stdout.end();
  stderr.end();
  return { stdout: await text(stdout), stderr: await text(stderr), error, code: exitCodeOf(error) };
}

function exitCodeOf(error: Error | undefined): number {
  if (error === undefined) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return 'exitCode' in error && typeof error.exitCode === 'number' ? error.exitCode : 1;
}
