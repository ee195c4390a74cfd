import { type ChildProcess, spawn } from 'node:child_process';
import { mainJs } from './main-js.ts';
import { productDir } from './test-server.ts';
import { whenEnded } from './when-ended.ts';

export type ServeProcess = {
  readonly child: ChildProcess;
  /** The address it printed. */
  readonly url: string;
  /** Everything it wrote to stderr so far. */
  readonly stderr: () => string;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** `serve` as a process of its own, once it listens. @param main another version of the program */
export async function startServe(
  env: Readonly<Record<string, string>>,
  preload: readonly string[] = [],
  main: string = mainJs,
): Promise<ServeProcess> {
  const imports = preload.flatMap((module) => ['--import', module]);
  const child = spawn(process.execPath, [...imports, main, 'serve'], {
    cwd: productDir,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = whenEnded(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const [, address] = /^Listening on (\S+)$/m.exec(stdout) ?? [];
      if (address !== undefined) {
        resolve(address);
      }
    });
    void ended.then(({ code, signal }) =>
      reject(new Error(`serve ended with ${code ?? signal}\n${stdout}\n${stderr}`)),
    );
  });
  return {
    child,
    url,
    stderr: () => stderr,
    async end(signal) {
      child.kill(signal);
      return (await ended).code;
    },
  };
}
