import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './programs.ts';
import { whenEnded } from './when-ended.ts';

export type ContainerSettings = {
  /** A folder of its own for each container. */
  readonly bundle: string;
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly user: { readonly uid: number; readonly gid: number };
  readonly env?: readonly string[];
  /** A seccomp profile in the form of Docker with `architectures`, which is that of the OCI runtime specification, too. */
  readonly seccomp: unknown;
  /** Files of this machine, by their path in the container. */
  readonly files?: Readonly<Record<string, string>>;
};
export type RuncContainer = {
  /** Waits for a match in what the program printed, on either stream. @throws Error when it ends before */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits for its end. */
  ended(): Promise<{ readonly code: number | null; readonly output: string }>;
  /** As an engine stops containers. */
  stop(): Promise<{ readonly code: number | null; readonly output: string }>;
};

/**
 * A container as compose.yaml wants it: read-only root, no capabilities, no new privileges, seccomp. It shares the network of this
 * machine, so that a test can reach its ports.
 */
export async function startRunc(settings: ContainerSettings): Promise<RuncContainer> {
  const { bundle, rootfs, args, user, env = [], seccomp, files = {} } = settings;
  await mkdir(bundle, { recursive: true });
  await mustRun('runc', ['spec', '--bundle', bundle]);
  const config = join(bundle, 'config.json');
  const spec: Spec = JSON.parse(await readFile(config, 'utf8'));
  const nothing = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  Object.assign(spec.process, { terminal: false, user, args, env, capabilities: nothing });
  spec.process.noNewPrivileges = true;
  spec.root = { path: rootfs, readonly: true };
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network');
  spec.linux.seccomp = seccomp;
  for (const [destination, source] of Object.entries(files)) {
    spec.mounts.push({ destination, source, type: 'bind', options: ['bind', 'ro'] });
  }
  await writeFile(config, JSON.stringify(spec));

  const id = `go-win-tools-${process.pid}-${started++}`;
  const child = spawn('runc', ['--root', join(bundle, 'state'), 'run', '--bundle', bundle, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const look of waiting) look();
    });
  }
  const end = whenEnded(child);
  const ended: RuncContainer['ended'] = async () => ({ code: (await end).code, output });
  return {
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (match === null) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        void end.then(({ code, signal }) =>
          reject(new Error(`the container ended with ${code ?? signal}\n${output}`)),
        );
        look();
      }),
    stop() {
      // runc passes it on.
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return ended();
    },
  };
}

let started = 0;

type Spec = {
  process: Record<string, unknown>;
  root: unknown;
  mounts: unknown[];
  linux: { namespaces: { readonly type: string }[]; seccomp?: unknown };
};
