import { S3Client } from '@aws-sdk/client-s3';
import { limitTexts } from './s3-answers.ts';

/** The setting BLOB_STORE with what belongs to it. */
export type S3Address = {
  readonly bucket: string;
  /** Before the name of every object, without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly forcePathStyle: boolean;
};

/** How long the store is waited for. Each request is tried three times. */
export type S3Limits = {
  /** Until an answer begins. */
  readonly answerMs: number;
  /** The same for a part of an upload, which has to be sent first. */
  readonly partMs: number;
  /** For the next bytes of an answer. */
  readonly silentMs: number;
};

const defaults: S3Limits = { answerMs: 10_000, partMs: 60_000, silentMs: 30_000 };
const connectMs = 3_000;
const attempts = 3;

/** A bucket and the way to it. */
export type S3 = { readonly client: S3Client; readonly address: S3Address; readonly limits: S3Limits };

/** Stores of other makers have no regions; their documentation names this one. */
const anyRegion = 'us-east-1';

/** The SDK would announce at each start when a later version of it needs a newer Node, which nobody can act on who runs this program. */
const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/** Credentials come from the SDK's own chain: environment, profile, web identity, the role of the instance or container. */
export function createS3(address: S3Address, limits: S3Limits = defaults): S3 {
  const { endpoint, region, forcePathStyle } = address;
  // biome-ignore lint/style/noProcessEnv: the SDK takes this switch from there alone
  Object.assign(process.env, quiet);
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint, region: anyRegion }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle,
    maxAttempts: attempts,
    // Each part of an upload would get a connection of its own, and wait a minute where the store knows nothing of it.
    expectContinueHeader: false,
    // Stores of other makers refuse the newer checksums, or send none.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: limits.partMs,
      throwOnRequestTimeout: true,
      // A slow client rests its download and the connection behind it; s3-pieces.ts watches for a store that rests.
      socketTimeout: 0,
      // Fifty slow downloads would otherwise use up all connections.
      httpAgent: { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY },
      httpsAgent: { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY },
    },
  });
  limitTexts(client, limits.silentMs);
  return { client, address, limits };
}

/** Options of a request without a body, or with a small one. */
export function soon({ limits }: Pick<S3, 'limits'>): { readonly requestTimeout: number } {
  return { requestTimeout: limits.answerMs };
}

/** The key of a blob: `PREFIX/ab/abcd...`, as on a disk. @throws TypeError */
export function keyOf({ prefix }: Pick<S3Address, 'prefix'>, sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new TypeError(`Not a SHA-256 in lower-case hex: ${sha256}`);
  return `${folderOf({ prefix })}${sha256.slice(0, 2)}/${sha256}`;
}

/** What every key begins with. */
export function folderOf({ prefix }: Pick<S3Address, 'prefix'>): string {
  return prefix === '' ? '' : `${prefix}/`;
}
