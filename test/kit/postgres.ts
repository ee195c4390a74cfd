import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { childrenOf } from './process-children.ts';
import { isRoot, mustRun } from './programs.ts';
import { makeTempDir } from './test-server.ts';
import { whenEnded } from './when-ended.ts';

/** Where Debian and Ubuntu keep each version's programs; only `psql` is on the PATH. */
const parent = '/usr/lib/postgresql';
const versions = existsSync(parent) ? readdirSync(parent).map(Number) : [];
const newest = Math.max(0, ...versions.filter((version) => version >= 15));

/** PostgreSQL itself, version 15 or newer. */
export const hasPostgres = existsSync(join(parent, String(newest), 'bin', 'initdb'));

export type Postgres = {
  /** Of a database that its user owns; the user can do nothing else. */
  readonly url: string;
  /** The address of another database of the same user: empty, or a copy of `template`, to which nobody is connected. */
  newDatabase(template?: string): Promise<string>;
  /** Runs statements as the superuser, in the database of `url` unless another is given; answers with rows, their columns divided by `|`. */
  sql(text: string, url?: string): Promise<string>;
  /** As if the power went for this program alone: all of its processes end at once, and nothing is written any more. */
  kill(): Promise<void>;
  /** Begins again on the same data and port, and waits until it takes connections. */
  start(): Promise<void>;
  /** Restarts it as a standby without a primary, like a primary that was replaced: it answers reads and refuses changes. */
  demote(): Promise<void>;
  /** Makes a primary of it again. */
  promote(): Promise<void>;
  /** Freezes all of its processes: connections stay, and nobody answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
};

const password = 'feed-password';
/** A program of the server's version, such as `pg_dump`. */
export const bin = (program: string): string => join(parent, String(newest), 'bin', program);

/**
 * A server of PostgreSQL on a port of its own, with its data in a temporary folder. A commit isn't forced to the disk, since no test cuts
 * the power of the machine; `settings` can change that (`{ fsync: 'on' }`).
 */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<Postgres> {
  const dir = await makeTempDir();
  const data = join(dir, 'data');
  const owner = isRoot() ? await otherUser() : undefined;
  await writeFile(join(dir, 'password'), password);
  if (owner !== undefined) {
    for (const path of [dir, join(dir, 'password')]) await chown(path, owner.uid, owner.gid);
  }
  const port = await freePort();
  const urlOf = (user: string, database: string): string =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const url = urlOf('feed', 'feed');
  let running: Running | undefined;

  const init = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', join(dir, 'password')];
  const rest = ['-E', 'UTF8', '--no-locale', '--no-sync', '--no-instructions'];
  await ended(
    spawn(bin('initdb'), [...init, ...rest], { ...owner, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] }),
  );

  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    shared_buffers: '32MB',
    // In its folder: a killed server leaves its segments behind.
    dynamic_shared_memory_type: 'mmap',
    max_connections: '60',
    ...settings,
  };
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const start = async (): Promise<void> => {
    running = await startProcess(
      spawn(bin('postgres'), ['-D', data, ...args], {
        ...owner,
        cwd: dir,
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    );
  };
  const sql = (text: string, database = url): Promise<string> =>
    mustRun(bin('psql'), ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', text, urlOf('postgres', nameIn(database))]);
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    // It starts no other child meanwhile. Once it has ended, nobody could find those that it had.
    running?.child.kill('SIGSTOP');
    for (const child of await childrenOf(running?.child.pid ?? 0)) process.kill(child, name);
    running?.child.kill(name);
  };
  const kill = async (): Promise<void> => {
    await signal('SIGKILL');
    await running?.end;
    running = undefined;
  };

  await start();
  await sql(`CREATE ROLE feed LOGIN PASSWORD '${password}'`, urlOf('postgres', 'postgres'));
  await sql('CREATE DATABASE feed OWNER feed', urlOf('postgres', 'postgres'));
  let databases = 0;
  return {
    url,
    sql: (text, database) => sql(text, database).then((rows) => rows.trimEnd()),
    async newDatabase(template) {
      databases += 1;
      const like = template === undefined ? '' : ` TEMPLATE ${nameIn(template)}`;
      await sql(`CREATE DATABASE feed${databases} OWNER feed${like}`, urlOf('postgres', 'postgres'));
      return urlOf('feed', `feed${databases}`);
    },
    kill,
    start,
    async demote() {
      await kill();
      const file = join(data, 'standby.signal');
      await writeFile(file, '');
      if (owner !== undefined) await chown(file, owner.uid, owner.gid);
      await start();
    },
    promote: async () => void (await sql('SELECT pg_promote()')),
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    async stop() {
      if (running !== undefined) await kill();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const nameIn = (url: string): string => new URL(url).pathname.slice(1);

type Running = { readonly child: ChildProcess; readonly end: Promise<unknown> };

/** Resolves when it takes connections. */
async function startProcess(child: ChildProcess): Promise<Running> {
  const end = whenEnded(child);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      // All of it is read, since the program would wait for a reader; only the beginning matters.
      if (said.length < 100_000) said += text;
      if (/ is ready to accept (read-only )?connections/.test(said)) resolve();
    });
    void end.then(() => reject(new Error(`postgres has ended:\n${said}`)));
  });
  return { child, end };
}

async function ended(child: ChildProcess): Promise<void> {
  const end = whenEnded(child);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const { code } = await end;
  if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code}\n${said}`);
}

/** PostgreSQL refuses to run as root. */
async function otherUser(): Promise<{ readonly uid: number; readonly gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const [, , uid, gid] =
    lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
