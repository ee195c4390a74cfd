import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { mustRun, run } from '../../kit/programs.ts';

export type Container = { readonly url: string; userId(): Promise<number>; stop(): Promise<void> };

/** Runs the image's own command, as its own user, on a free port of this machine; answers when it is ready. */
export async function startContainer(buildah: readonly string[], image: string): Promise<Container> {
  const port = await freePort();
  const name = (await mustRun('buildah', [...buildah, 'from', '--pull-never', image])).trim();
  const args = [
    ...buildah,
    'run',
    '--isolation',
    'chroot',
    '--user',
    '10001:10001',
    '--env',
    `PORT=${port}`,
    name,
    '--',
  ];
  const child = spawn('buildah', [...args, 'node', 'dist/main.js', 'serve'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const url = `http://127.0.0.1:${port}`;
  await answersOr(url, () => {
    if (child.exitCode !== null) {
      throw new Error(`the container ended with ${child.exitCode}\n${output}`);
    }
  });
  return {
    url,
    userId: () => userOfListener(port),
    stop: async () => {
      child.kill('SIGTERM');
      await run('pkill', ['-f', `PORT=${port}`]);
      await new Promise((resolve) =>
        child.exitCode === null ? child.once('close', resolve) : resolve(undefined),
      );
      await mustRun('buildah', [...buildah, 'rm', name]);
    },
  };
}

async function answersOr(url: string, check: () => void): Promise<void> {
  for (;;) {
    check();
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
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

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
