import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from './free-port.ts';
import { hasProgram } from './programs.ts';
import { whenEnded } from './when-ended.ts';

/** An S3 server by other makers. */
export const hasS3Server = hasProgram('versitygw');

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
 * versitygw over a folder. The credentials get into the environment of this process, where the SDK looks for them.
 * @param more further options of versitygw
 */
export async function startS3Server(more: readonly string[] = []): Promise<S3Server> {
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
  let program: ChildProcess | undefined;
  let buckets = 0;

  async function resume(): Promise<void> {
    program = spawn(
      'versitygw',
      [
        ...['--port', `127.0.0.1:${port}`, '--health', '/health', '--keep-alive', '--quiet', ...more],
        ...['posix', '--sidecar', join(dir, 'facts'), join(dir, 'buckets')],
      ],
      {
        stdio: 'ignore',
        env: { ...process.env, ROOT_ACCESS_KEY_ID: accessKeyId, ROOT_SECRET_ACCESS_KEY: secretAccessKey },
      },
    );
    const ended = whenEnded(program).then(() => Promise.reject(new Error('versitygw ended')));
    ended.catch(() => undefined);
    await Promise.race([ended, untilHealthy(endpoint)]);
  }

  async function pause(): Promise<void> {
    if (program === undefined) return;
    const ended = whenEnded(program);
    program.kill();
    await ended;
    program = undefined;
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

async function untilHealthy(endpoint: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${endpoint}/health`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
