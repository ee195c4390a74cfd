import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { hasPostgres, type Postgres, startPostgres } from './postgres.ts';
import { hasS3Server, type S3Server, s3Credentials, startS3Server } from './s3-server.ts';
import { type ServeProcess, startServe } from './serve-process.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { adminKey, makeTempDir } from './test-server.ts';

/** What several servers share, as real programs. */
export const canCluster = hasPostgres && hasS3Server;

/** One server of a cluster, in a process of its own, at an address that stays. */
export type Replica = {
  readonly url: string;
  readonly adminKey: string;
  readonly dataDir: string;
  /** Its own way to the database. */
  readonly databaseWire: TcpProxy;
  /** Its process while it runs. */
  pid(): number | undefined;
  /** What this process has logged since its last start. */
  logged(): string;
  /** @param main another version of the program */
  start(main?: string): Promise<void>;
  /** SIGTERM; resolves with the exit code when it has ended. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: it holds what it holds, and does nothing. */
  pause(): void;
  resume(): void;
};

export type Cluster = {
  /** The base of links: where a load balancer would listen. */
  readonly publicUrl: string;
  readonly adminKey: string;
  readonly postgres: Postgres;
  readonly s3: S3Server;
  readonly replicas: readonly Replica[];
  /** What verbs need to work on the same stores; DATA_DIR is missing. */
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

/**
 * Servers that share one PostgreSQL and one bucket of an S3 server; all have been started.
 * @param main another version of the program
 */
export async function startCluster(
  count: number,
  env: Readonly<Record<string, string>> = {},
  main?: string,
): Promise<Cluster> {
  const [postgres, s3, dir] = [await startPostgres(), await startS3Server(), await makeTempDir()];
  const publicUrl = `http://127.0.0.1:${await freePort()}`;
  const settings = {
    PUBLIC_URL: publicUrl,
    DATABASE_URL: postgres.url,
    BLOB_STORE: `s3://${await s3.createBucket()}/feed`,
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: 'us-east-1',
    S3_FORCE_PATH_STYLE: 'true',
    ADMIN_API_KEY: adminKey,
    ACCESS_LOG: 'errors',
    ...s3Credentials,
    ...env,
  };
  const replicas: Replica[] = [];
  for (let number = 0; number < count; number += 1) {
    replicas.push(await makeReplica(join(dir, `replica-${number}`), postgres.url, settings));
  }
  // The first one makes tables and bucket; the others meet each other.
  const [first, ...others] = replicas;
  await first?.start(main);
  await Promise.all(others.map((replica) => replica.start(main)));
  return {
    publicUrl,
    adminKey,
    postgres,
    s3,
    replicas,
    settings,
    async stop() {
      await Promise.all(replicas.map((replica) => replica.kill()));
      await Promise.all(replicas.map(({ databaseWire }) => databaseWire.stop()));
      await Promise.all([postgres.stop(), s3.close()]);
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function makeReplica(
  dataDir: string,
  databaseUrl: string,
  settings: Readonly<Record<string, string>>,
): Promise<Replica> {
  const port = await freePort();
  const database = new URL(databaseUrl);
  const databaseWire = await startTcpProxy({ host: database.hostname, port: Number(database.port) });
  database.port = String(databaseWire.port);
  const env = { ...settings, DATA_DIR: dataDir, PORT: String(port), DATABASE_URL: database.href };
  let process: ServeProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const ending = process;
    process = undefined;
    return (await ending?.end(signal)) ?? null;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    adminKey,
    dataDir,
    databaseWire,
    pid: () => process?.child.pid,
    logged: () => process?.stderr() ?? '',
    async start(main) {
      process = await startServe(env, [], main);
    },
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL');
    },
    pause: () => void process?.child.kill('SIGSTOP'),
    resume: () => void process?.child.kill('SIGCONT'),
  };
}
