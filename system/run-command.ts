import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fail, ReleaseError } from '../errors/release-error.ts';
import type { Environment } from './child-environment.ts';

/** A program to run. It gets no shell, no stdin, and exactly the environment named here. */
export type Command = {
  /** Found on the PATH of `env`, or a path. On Windows an .exe: a .cmd would need a shell. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; start from child-environment.ts. */
  readonly env: Environment;
  /** Ends the program and all that it started. */
  readonly signal?: AbortSignal | undefined;
  /** Of stdout; more ends the program. */
  readonly maxOutputBytes?: number;
  /** Each line of stderr as it comes, for programs that run for long. */
  readonly onLine?: (line: string) => void;
};

export type CommandResult = Awaited<ReturnType<typeof runCommand>>;

/** Of stderr, the last of it. */
const maxTailBytes = 64 * 1024;
const graceMs = 5_000;

/**
 * Runs a program to its end; its exit code is a value, the caller judges it (-1: it was ended by a signal).
 * @throws ReleaseError PROGRAM_MISSING, PROGRAM_FAILED (too much output), INTERRUPTED (the signal)
 */
export async function runCommand(command: Command) {
  const { program, maxOutputBytes = 16 * 1024 * 1024 } = command;
  if (command.signal?.aborted) return interrupted(program);
  const child = start(command);
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = Buffer.alloc(0);
  let brokenBy: string | undefined;
  const end = (reason: string): void => {
    brokenBy ??= reason;
    endTree(child);
  };
  const onAbort = (): void => end('it was interrupted');
  command.signal?.addEventListener('abort', onAbort, { once: true });
  const forget = endWithUs(child);

  child.stdout?.on('data', (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes > maxOutputBytes) end(`it wrote more than ${maxOutputBytes} bytes`);
    else stdout.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-maxTailBytes);
  });
  if (command.onLine !== undefined && child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', command.onLine);
  }

  try {
    const exitCode = await ended(child, program);
    if (command.signal?.aborted) return interrupted(program);
    if (brokenBy !== undefined) return fail('PROGRAM_FAILED', { program, exitCode, cause: brokenBy });
    return { exitCode, stdout: Buffer.concat(stdout), stderr: stderr.toString('utf8') };
  } finally {
    command.signal?.removeEventListener('abort', onAbort);
    forget();
  }
}

/** What must not outlive this process; one listener for all, since Node warns of more than ten. */
const running = new Set<ChildProcess>();
const endAll = (): void => {
  for (const child of running) signalTree(child, 'SIGKILL');
};

function endWithUs(child: ChildProcess): () => void {
  if (running.size === 0) process.once('exit', endAll);
  running.add(child);
  return () => {
    running.delete(child);
    if (running.size === 0) process.removeListener('exit', endAll);
  };
}

function start({ program, args, cwd, env }: Command): ChildProcess {
  return spawn(program, args, {
    cwd,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: false,
    windowsHide: true,
    // a process group of its own, so that what it starts can be ended with it; Windows has taskkill for that
    detached: process.platform !== 'win32',
  });
}

function ended(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('close', (exitCode) => resolve(exitCode ?? -1));
    child.once('error', (error: NodeJS.ErrnoException) => {
      // a missing working folder is ENOENT as well, but that is a fault of ours and the folder was just made
      reject(error.code === 'ENOENT' ? new ReleaseError('PROGRAM_MISSING', { program }, error) : error);
    });
  });
}

function interrupted(program: string): never {
  return fail('INTERRUPTED', { state: `${program} was ended` });
}

function endTree(child: ChildProcess): void {
  signalTree(child, 'SIGTERM');
  const timer = setTimeout(() => signalTree(child, 'SIGKILL'), graceMs);
  child.once('close', () => clearTimeout(timer));
}

function signalTree({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // the whole group is gone already
  }
}
