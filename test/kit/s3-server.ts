import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from './free-port.ts';
import { hasProgram } from './programs.ts';
import { whenEnded } from './when-ended.ts';

/** A server by other makers, over a folder. */
type Maker = {
  readonly program: string;
  readonly args: (port: number, dir: string, more: readonly string[]) => readonly string[];
  readonly env: (key: string, secret: string) => Readonly<Record<string, string>>;
  readonly health: string;
};

export const versitygw: Maker = {
  program: 'versitygw',
  args: (port, dir, more) => [
    ...['--port', `127.0.0.1:${port}`, '--health', '/health', '--keep-alive', '--quiet', ...more],
    ...['posix', '--sidecar', join(dir, 'facts'), join(dir, 'buckets')],
  ],
  env: (key, secret) => ({ ROOT_ACCESS_KEY_ID: key, ROOT_SECRET_ACCESS_KEY: secret }),
  health: '/health',
};

const minio: Maker = {
  program: 'minio',
  args: (port, dir, more) => [
    ...['server', '--quiet', '--address', `127.0.0.1:${port}`, ...more],
    join(dir, 'buckets'),
  ],
  env: (key, secret) => ({
    MINIO_ROOT_USER: key,
    MINIO_ROOT_PASSWORD: secret,
    MINIO_SITE_REGION: 'us-east-1',
  }),
  health: '/minio/health/ready',
};

/** By hand all tests can be run with another server: S3_SERVER=minio. */
const usual = process.env.S3_SERVER === 'minio' ? minio : versitygw;

/** An S3 server. */
export const hasS3Server = hasProgram(usual.program);

/** As the SDK finds them in the environment of a server. */
export const s3Credentials = {
  AWS_ACCESS_KEY_ID: 'test-access-key',
  AWS_SECRET_ACCESS_KEY: 'test-secret-key',
};

export type S3Server = {
  readonly endpoint: string;
  /** A client with every right, for looking from outside. */
  readonly client: S3Client;
  /** A new bucket; answers its name. */
  createBucket(): Promise<string>;
  /** Ends the program; its buckets stay. */
  pause(): Promise<void>;
  /** Starts it again, at the same address. */
  resume(): Promise<void>;
  /** Ends it and removes everything. */
  close(): Promise<void>;
};

/**
 * The credentials get into the environment of this process, where the SDK looks for them.
 * @param more further options of the program
 */
export async function startS3Server(
  more: readonly string[] = [],
  { program, args, env, health } = usual,
): Promise<S3Server> {
  const dir = await mkdtemp(join(tmpdir(), 'gwt-s3-'));
  for (const name of ['buckets', 'facts']) await mkdir(join(dir, name));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = s3Credentials;
  Object.assign(process.env, s3Credentials, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  let running: ChildProcess | undefined;
  let buckets = 0;

  async function resume(): Promise<void> {
    running = spawn(program, args(port, dir, more), {
      stdio: 'ignore',
      env: { ...process.env, ...env(accessKeyId, secretAccessKey) },
    });
    const ended = whenEnded(running).then(() => Promise.reject(new Error(`${program} ended`)));
    ended.catch(() => undefined);
    await Promise.race([ended, untilHealthy(`${endpoint}${health}`)]);
  }

  async function pause(): Promise<void> {
    if (running === undefined) return;
    const ended = whenEnded(running);
    running.kill();
    await ended;
    running = undefined;
  }

  await resume();
  return {
    endpoint,
    client,
    async createBucket() {
      buckets += 1;
      const bucket = `bucket-${buckets}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return bucket;
    },
    pause,
    resume,
    async close() {
      client.destroy();
      await pause();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function untilHealthy(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
