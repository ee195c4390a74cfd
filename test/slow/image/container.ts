import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Buildah } from '../../kit/buildah.ts';
import { whenEnded } from '../../kit/when-ended.ts';

export type Container = {
  /** What the server in it answers. @throws Error with the container's output when there is no answer */
  ask(path: string): Promise<Response>;
  readonly url: string;
  userId(): Promise<number>;
  /** As an engine stops containers. @throws Error with its output when it goes on */
  stop(): Promise<void>;
};

const minute = 60_000;

/** Runs the image's own command, as its own user, on a port that it chooses; answers when it listens. */
export async function startContainer(buildah: Buildah, image: string): Promise<Container> {
  const name = await buildah.run(['from', '--pull-never', image]);
  const options = ['--isolation', 'chroot', '--user', '10001:10001', '--env', 'PORT=0'];
  const command = ['node', 'dist/main.js', 'serve'];
  // A group of its own: signals to it reach the server, too, which is a process of this machine like any other.
  const child = spawn('buildah', [...buildah.options, 'run', ...options, name, '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const send = (signal: NodeJS.Signals) => process.kill(-(child.pid ?? 0), signal);
  const ended = whenEnded(child);
  let output = '';
  const said = (problem: string): Error => new Error(`the container ${problem}\n${output}`);
  const listens = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [, port] = /^Listening on \S+:(\d+)$/m.exec(output) ?? [];
        if (port !== undefined) resolve(port);
      });
    }
    void ended.then(({ code, signal }) => reject(said(`ended with ${code ?? signal}`)));
  });

  const port = await inTime(listens).catch((error: unknown) => {
    if (child.exitCode === null && child.signalCode === null) send('SIGKILL');
    throw error ?? said('does not listen');
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    ask: (path) =>
      fetch(`${url}${path}`, { signal: AbortSignal.timeout(minute) }).catch((error) => {
        throw said(`does not answer ${path}: ${error}`);
      }),
    userId: () => userOfListener(Number(port)),
    async stop() {
      send('SIGTERM');
      await inTime(ended).catch((error: unknown) => {
        send('SIGKILL');
        throw error ?? said('goes on after SIGTERM');
      });
      await buildah.run(['rm', name]);
    },
  };
}

/** Rejects with undefined after a minute. */
function inTime<Answer>(work: Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, minute);
    void work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The user id of the process that listens on the port, as the kernel has it. */
async function userOfListener(port: number): Promise<number> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const listener = tables
    .join('\n')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local, , state]) => local?.endsWith(`:${hexPort}`) && state === '0A');
  if (listener === undefined) {
    throw new Error(`nobody listens on port ${port}`);
  }
  return Number(listener[7]);
}
