import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import pMap, { pMapSkip } from 'p-map';
import { inShort } from '../../formats/thrown.ts';
import { createS3, folderOf, keyOf, type S3Address } from './s3-client.ts';
import { isNoSuchKey } from './s3-errors.ts';

type Step = {
  readonly step: 'put' | 'get' | 'range' | 'delete' | 'list';
  readonly problem: string | undefined;
};

const limits = { answerMs: 10_000, partMs: 10_000, silentMs: 10_000 };
const content = 'written by feed:doctor, which removes it at once';

/**
 * Puts, reads, reads a part of, lists and deletes an object `PREFIX/doctor/UUID`, which no blob can have as its name. The first step that
 * fails is the last one, but that what was put is deleted.
 */
export async function probeStore(
  address: S3Address,
  signal: AbortSignal,
): Promise<{ readonly store: string; readonly steps: readonly Step[]; readonly ms: number }> {
  const { client } = createS3(address, limits);
  const options = { abortSignal: signal };
  const place = { Bucket: address.bucket, Key: `${folderOf(address)}doctor/${randomUUID()}` };
  const read = async (Range?: string): Promise<string | undefined> => {
    const { Body } = await client.send(new GetObjectCommand({ ...place, ...(Range && { Range }) }), options);
    return Body?.transformToString();
  };
  const work: readonly (readonly [Step['step'], () => Promise<unknown>])[] = [
    ['put', () => client.send(new PutObjectCommand({ ...place, Body: content }), options)],
    ['get', async () => expectText(await read(), content)],
    ['range', async () => expectText(await read('bytes=11-21'), content.slice(11, 22))],
    [
      'list',
      () =>
        client.send(
          new ListObjectsV2Command({ Bucket: address.bucket, Prefix: place.Key, MaxKeys: 1 }),
          options,
        ),
    ],
    ['delete', () => client.send(new DeleteObjectCommand(place), options)],
  ];
  const steps: Step[] = [];
  const before = performance.now();
  try {
    for (const [step, take] of work) {
      const isUsed = step === 'delete' || steps.every(({ problem }) => problem === undefined);
      // What could not be put needs no removal.
      if (!isUsed || (step === 'delete' && steps[0]?.problem !== undefined)) continue;
      steps.push({ step, problem: await problemOf(take) });
    }
    return { store: `s3://${address.bucket}/${address.prefix}`, steps, ms: performance.now() - before };
  } finally {
    client.destroy();
  }
}

/** Those of the blobs that the store does not have. @throws when it refuses to say, or does not answer */
export async function findMissing(
  address: S3Address,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { client } = createS3(address, limits);
  try {
    return await pMap(
      names,
      async (sha256) => {
        try {
          const place = { Bucket: address.bucket, Key: keyOf(address, sha256) };
          await client.send(new HeadObjectCommand(place), { abortSignal: signal });
          return pMapSkip;
        } catch (error) {
          if (isNoSuchKey(error)) return sha256;
          throw error;
        }
      },
      { concurrency: 8 },
    );
  } finally {
    client.destroy();
  }
}

/** The `Date` of any answer, a refusal too; undefined: the store has none. @throws when it does not answer */
export async function readStoreClock(address: S3Address, signal: AbortSignal): Promise<Date | undefined> {
  const { client } = createS3(address, limits);
  let date: string | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      date = (answer.response as { headers?: Record<string, string> }).headers?.date;
      return answer;
    },
    // Before the answer is read, and its error thrown.
    { step: 'deserialize', priority: 'low', name: 'readDate' },
  );
  try {
    await client.send(new ListObjectsV2Command({ Bucket: address.bucket, MaxKeys: 1 }), {
      abortSignal: signal,
    });
  } catch (error) {
    if (date === undefined) throw error;
  } finally {
    client.destroy();
  }
  return date === undefined ? undefined : new Date(date);
}

async function problemOf(take: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await take();
    return undefined;
  } catch (error) {
    const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
    return `${name}${inShort(error)}`;
  }
}

function expectText(found: string | undefined, expected: string): void {
  if (found !== expected)
    throw new Error(`expected ${expected.length} bytes as they were put, found ${found?.length ?? 0} others`);
}
