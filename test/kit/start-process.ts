import { spawn } from 'node:child_process';
import { mainJs } from './main-js.ts';
import { productDir } from './test-server.ts';
import { whenEnded } from './when-ended.ts';

export type StartProcess = {
  readonly url: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until the text was printed; throws when the program ends before. */
  says(text: string): Promise<void>;
  /** Ctrl-C; answers with the exit code once all output has ended. */
  end(): Promise<number | null>;
};

/** `start` itself, whose exit code can be seen. */
export const mainStart = [process.execPath, mainJs, 'start'] as const;
/** What the README says. */
export const readmeStart = ['npx', '-y', 'pnpm@10', 'start'] as const;

/** `start` as processes of their own, once the server is up. */
export async function startStart(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<StartProcess> {
  const child = spawn(program, args, {
    cwd: productDir,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, which Ctrl-C reaches as a whole, as on a terminal.
    detached: true,
  });
  const ended = whenEnded(child);
  const output = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      for (const look of waiting) look();
    });
  }
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output.stdout.includes(text)) {
          waiting.delete(look);
          resolve();
        }
      };
      waiting.add(look);
      void ended.then(({ code, signal }) =>
        reject(new Error(`start ended with ${code ?? signal}\n${output.stdout}\n${output.stderr}`)),
      );
      look();
    });
  await says('The server is up: ');
  const url = /The server is up: (\S+)\//.exec(output.stdout)?.[1] ?? '';
  return {
    url,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    says,
    async end() {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGINT');
      return (await ended).code;
    },
  };
}
