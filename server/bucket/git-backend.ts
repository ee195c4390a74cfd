import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { type GitSetting, settingVariables } from '../../formats/git-settings.ts';
import { beginSpan } from '../../tracing/spans.ts';
import { FeedError, fail } from '../errors.ts';

/** How git is started: in which repository, and with a minimal environment. */
export type Git = {
  readonly dir: string;
  readonly env: Environment;
  /** Limits for each process; absent: no limits. */
  readonly cap?: Cap;
  /** Stops running processes and prevents new ones. */
  readonly signal?: AbortSignal;
};
/** A small pack can unpack to more than fits into memory, and git itself has no limit for that. */
type Cap = { readonly memoryBytes: number; readonly cpuSeconds: number };
export type Environment = Readonly<Record<string, string>>;

export type RunOptions = {
  readonly env?: Environment;
  readonly input?: string | Buffer;
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
};

/** What programs need to start at all, on Windows too. Everything else (GIT_DIR, proxies, secrets) is left out. */
const kept = new Set('PATH SYSTEMROOT WINDIR COMSPEC PATHEXT TEMP TMP TMPDIR LD_LIBRARY_PATH'.split(' '));

/** `homeDir` contains no git settings, so neither a user's nor the machine's settings affect the bucket. */
export function createGit(
  dir: string,
  homeDir: string,
  outer: Readonly<Record<string, string | undefined>>,
): Git {
  const inherited = Object.entries(outer).filter(([name]) => kept.has(name.toUpperCase()));
  return {
    dir,
    env: {
      ...(Object.fromEntries(inherited) as Record<string, string>),
      HOME: homeDir,
      XDG_CONFIG_HOME: homeDir,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      // A data folder on a volume often belongs to another user than the one in the container.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      LC_ALL: 'C',
    },
  };
}

/** Adds settings that override the repository's own. */
export function withSettings(git: Git, settings: readonly GitSetting[]): Git {
  return { ...git, env: { ...git.env, ...settingVariables(git.env, settings) } };
}

/**
 * Limits every process below. Where limits do not exist (Windows, memory on macOS), it continues without them. They are soft: a
 * hook may lift them for itself.
 */
const capped = 'ulimit -S -v "$1" 2>/dev/null; ulimit -S -t "$2" 2>/dev/null; shift 2; exec git "$@"';

function commandOf({ cap }: Git, args: readonly string[]): [string, readonly string[]] {
  if (cap === undefined || process.platform === 'win32') {
    return ['git', args];
  }
  const limits = [Math.floor(cap.memoryBytes / 1024), cap.cpuSeconds].map(String);
  return ['/bin/sh', ['-c', capped, 'git', ...limits, ...args]];
}

/** Starts git; the caller reads it to its end or calls `endGit`. */
export function startGit(git: Git, args: readonly string[], env: Environment = {}) {
  git.signal?.throwIfAborted();
  const span = beginSpan(`git ${args[0]}`);
  const child = spawn(...commandOf(git, args), {
    cwd: git.dir,
    env: { ...git.env, ...env },
    windowsHide: true,
    // In its own process group: Ctrl-C in the server's terminal ends only the server, which lets running pushes finish.
    detached: process.platform !== 'win32',
  });
  // git may end before it has read everything; its exit code says more than EPIPE.
  child.stdin.on('error', () => undefined);
  const onAbort = (): void => endGit(child);
  git.signal?.addEventListener('abort', onAbort);
  child.once('close', () => {
    git.signal?.removeEventListener('abort', onAbort);
    span?.end();
  });
  return child;
}

/** Asks git to end, with the programs it started: on the first signal it removes its own locks and temporary files. */
export function endGit(child: ChildProcessWithoutNullStreams, graceMs = 5_000): void {
  if (hasEnded(child)) {
    return;
  }
  signal(child, 'SIGTERM');
  const last = setTimeout(() => signal(child, 'SIGKILL'), graceMs);
  child.once('exit', () => clearTimeout(last));
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcessWithoutNullStreams): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

/**
 * Runs git to its end and returns its output.
 * @throws FeedError GIT_FAILED with git's error output as cause, GIT_MISSING without git
 */
export async function runGit(git: Git, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  const { maxBytes = 64 * 1024 * 1024, timeoutMs = 120_000 } = options;
  const child = startGit(git, args, options.env);
  const ended = whenEnded(child);
  const timer = setTimeout(() => endGit(child), timeoutMs);
  try {
    child.stdin.end(options.input ?? '');
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of child.stdout) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        fail('GIT_FAILED', {}, new Error(`git ${args[0]} printed more than ${maxBytes} bytes`));
      }
      chunks.push(chunk);
    }
    const { code, stderr } = await ended;
    if (code !== 0) {
      fail('GIT_FAILED', {}, new Error(`git ${args[0]} ended with ${code}: ${stderr}`));
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
    endGit(child);
  }
}

/** The exit code and the first 4 KiB of git's error output. @throws FeedError GIT_MISSING */
export function whenEnded(
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: number | string; stderr: string }> {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(0, 4096);
  });
  const ended = new Promise<{ code: number | string; stderr: string }>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cause.code === 'ENOENT' ? new FeedError('GIT_MISSING', {}, cause) : cause);
    });
    child.once('close', (code, name) => resolve({ code: code ?? name ?? 'no code', stderr: stderr.trim() }));
  });
  // A caller that stops reading early does not wait for this; that is not an unhandled rejection.
  ended.catch(() => undefined);
  return ended;
}

function signal(child: ChildProcessWithoutNullStreams, name: NodeJS.Signals): void {
  if (child.pid === undefined || hasEnded(child)) {
    return;
  }
  if (process.platform === 'win32') {
    child.kill(name);
    return;
  }
  try {
    process.kill(-child.pid, name);
  } catch {
    child.kill(name);
  }
}
