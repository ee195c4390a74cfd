import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import type { BlobStore } from '../../server/blobs/blob-store.ts';
import type { S3Address } from '../../server/blobs/s3-client.ts';
import { openS3Store } from '../../server/blobs/s3-store.ts';
import { FeedError } from '../../server/errors.ts';
import { type FaultyS3, startFaultyS3 } from '../kit/s3-faults.ts';
import { hasS3Server, type S3Server, startS3Server } from '../kit/s3-server.ts';
import { taken } from '../kit/taken.ts';

const mebibyte = 1024 ** 2;
/** Where no time is tested, none may pass. */
const patient = { answerMs: 120_000, partMs: 120_000, silentMs: 120_000 };
const hasty = { answerMs: 4_000, partMs: 2_000, silentMs: 3_000 };

describe.skipIf(!hasS3Server)('an S3 store on a bad day (versitygw)', () => {
  let server: S3Server;
  let faulty: FaultyS3;
  beforeAll(async () => {
    server = await startS3Server();
    faulty = await startFaultyS3(server.endpoint);
  });
  afterAll(async () => {
    await faulty.stop();
    await server.close();
  });

  let dir: string;
  let address: S3Address;
  let store: BlobStore;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-s3-'));
    const bucket = await server.createBucket();
    address = { bucket, prefix: '', endpoint: faulty.url, forcePathStyle: true };
    store = await openS3Store(address, dir, patient);
    faulty.requests.length = 0;
  });
  afterEach(async () => {
    faulty.fault(() => undefined);
    await rm(dir, { recursive: true, force: true });
  });

  const small = Buffer.alloc(100_000, 'small');
  const large = Buffer.alloc(12 * mebibyte, 'large bytes');
  const unreachable = { code: 'BLOB_STORE_UNREACHABLE', status: 503 };

  async function receive(content: Buffer, by = store) {
    return by.receive(Readable.from([content]), 100 * mebibyte);
  }
  async function put(content: Buffer): Promise<string> {
    const upload = await receive(content);
    await upload.commit();
    await upload.discard();
    return upload.digest.sha256;
  }
  /** Objects, uploads that were begun, and files. */
  async function found(): Promise<string[]> {
    const Bucket = address.bucket;
    const { Contents = [] } = await server.client.send(new ListObjectsV2Command({ Bucket }));
    const { Uploads = [] } = await server.client.send(new ListMultipartUploadsCommand({ Bucket }));
    return [...Contents, ...Uploads].map(({ Key }) => Key ?? '').concat(await readdir(dir));
  }

  it.each([
    ['500 for an object', small, /^PUT/, { status: 500 }],
    ['an object that is cut', small, /^PUT/, { cut: 50_000 }],
    ['no answer to an object', small, /^PUT/, 'silent'],
    ['500 for a part', large, /partNumber=2/, { status: 500 }],
    ['a part that is cut', large, /partNumber=2/, { cut: mebibyte }],
    ['no answer to a part', large, /partNumber=2/, 'silent'],
    ['500 when an upload begins', large, /^POST .*uploads/, { status: 500 }],
    ['500 when an upload ends', large, /^POST .*uploadId/, { status: 500 }],
  ] as const)('leaves nothing after %s', async (_, content, line, fault) => {
    const sender = fault === 'silent' ? await openS3Store(address, dir, hasty) : store;
    faulty.fault((seen) => (line.test(seen) ? fault : undefined));
    const upload = await receive(content, sender);

    await expect(upload.commit()).rejects.toMatchObject(unreachable);
    await upload.discard();

    expect(faulty.requests.filter((seen) => line.test(seen)).length).toBeLessThanOrEqual(3);
    expect(await found()).toEqual([]);
    expect(await store.has(upload.digest.sha256)).toBe(false);
  });

  it('stores bytes that it could not send at first', async () => {
    let isFirst = true;
    faulty.fault((line) => {
      const fault = isFirst && /partNumber=2/.test(line) ? { status: 503 } : undefined;
      if (fault !== undefined) isFirst = false;
      return fault;
    });

    const sha256 = await put(large);

    expect((await buffer(await store.open(sha256))).equals(large)).toBe(true);
    expect(await found()).toEqual([`${sha256.slice(0, 2)}/${sha256}`]);
  });

  it.each([
    ['cut', { cutAnswer: 3 * mebibyte }],
    ['silent', 'silent'],
    ['stalled', { stallAnswer: 3 * mebibyte }],
  ] as const)('continues a download that was %s', async (kind, fault) => {
    const sha256 = await put(large);
    const reader = kind === 'cut' ? store : await openS3Store(address, dir, hasty);
    let isFirst = true;
    faulty.fault(() => {
      const now = isFirst ? fault : undefined;
      isFirst = false;
      return now;
    });

    const read = await taken((...args) => reader.readTo(sha256, ...args), {
      start: 0,
      end: large.length - 1,
    });

    expect(read.equals(large)).toBe(true);
  });

  it.each([0, 1000])('gives a download up that is cut each time after %i bytes', async (cutAnswer) => {
    const sha256 = await put(large);
    faulty.requests.length = 0;
    faulty.fault((line) => (line.startsWith('GET') ? { cutAnswer } : undefined));

    const reading = taken((...args) => store.readTo(sha256, ...args), { start: 0, end: large.length - 1 });

    await expect(reading).rejects.toMatchObject(unreachable);
    expect(faulty.requests.length).toBeLessThan(10);
  });

  it('never joins two objects', async () => {
    const sha256 = await put(large);
    faulty.fault((line) => (line.startsWith('GET') ? { cutAnswer: 3 * mebibyte } : undefined));
    let isReplaced = false;

    const reading = store.readTo(sha256, { start: 0, end: large.length - 1 }, async () => {
      if (isReplaced) return;
      isReplaced = true;
      const Key = `${sha256.slice(0, 2)}/${sha256}`;
      await server.client.send(
        new PutObjectCommand({ Bucket: address.bucket, Key, Body: Buffer.alloc(large.length, 'other') }),
      );
      faulty.fault(() => undefined);
    });

    await expect(reading).rejects.toMatchObject(unreachable);
  });

  it('says so while the store is away, and works again when it is back', async () => {
    const sha256 = await put(small);
    const upload = await receive(Buffer.from('other bytes'));
    await server.pause();

    await expect(store.ping()).rejects.toMatchObject(unreachable);
    await expect(store.has(sha256)).rejects.toMatchObject(unreachable);
    await expect(store.open(sha256)).rejects.toMatchObject(unreachable);
    await expect(store.remove(sha256)).rejects.toMatchObject(unreachable);
    await expect(upload.commit()).rejects.toMatchObject(unreachable);

    await server.resume();
    await store.ping();
    await upload.commit();
    expect(await store.has(upload.digest.sha256)).toBe(true);
    expect((await buffer(await store.open(sha256))).equals(small)).toBe(true);
  });

  it('sends no removal too late', async () => {
    const sha256 = await put(small);
    faulty.requests.length = 0;

    await expect(store.remove(sha256, performance.now() - 1)).rejects.toMatchObject(unreachable);

    expect(faulty.requests).toEqual([]);
    expect(await store.remove(sha256, performance.now() + 60_000)).toBe(true);
    expect(await store.has(sha256)).toBe(false);
  });

  it('is not sure of a removal that took two requests', async () => {
    const sha256 = await put(small);
    let isFirst = true;
    faulty.fault(() => {
      const fault = isFirst ? { status: 500 } : undefined;
      isFirst = false;
      return fault;
    });

    expect(await store.remove(sha256)).toBe(false);

    expect(await store.has(sha256)).toBe(false);
  });

  it('writes nothing to be asked whether it works', async () => {
    await store.ping();

    expect(faulty.requests.map((line) => line.split(' ')[0])).toEqual(['HEAD']);
    expect(await found()).toEqual([]);
  });

  describe('when a server starts', () => {
    async function problemOf(change: Partial<S3Address>): Promise<FeedError> {
      const error: unknown = await openS3Store({ ...address, ...change }, dir, hasty).catch(
        (thrown) => thrown,
      );
      if (!(error instanceof FeedError)) throw new Error(`no FeedError: ${String(error)}`);
      return error;
    }

    it('names a bucket that is missing', async () => {
      const { code, message } = await problemOf({ bucket: 'missing-bucket' });

      expect(code).toBe('BLOB_STORE_MISSING');
      expect(message).toContain('has no S3 bucket missing-bucket');
    });

    it('names an address where nobody answers', async () => {
      const { code, message } = await problemOf({ endpoint: 'http://127.0.0.1:9' });

      expect(code).toBe('BLOB_STORE_SILENT');
      expect(message).toContain('http://127.0.0.1:9 cannot be reached (ECONNREFUSED)');
    });

    it('names a region that is another one', async () => {
      expect((await problemOf({ region: 'eu-central-1' })).code).toBe('BLOB_STORE_ELSEWHERE');
    });

    it('recognises a server that is no object store', async () => {
      faulty.fault(() => ({ status: 404 }));

      expect((await problemOf({})).code).toMatch(/^BLOB_STORE_(MISSING|ELSEWHERE)$/);
    });

    it.each([
      ['AWS_ACCESS_KEY_ID', 'another-access-key'],
      ['AWS_SECRET_ACCESS_KEY', 'another-secret-key'],
    ])('names refused credentials, and shows none of them (%s)', async (name, value) => {
      const before = process.env[name];
      process.env[name] = value;
      try {
        const error = await problemOf({});

        expect(error.code).toBe('BLOB_STORE_REFUSED');
        const shown = `${error.message} ${JSON.stringify(error.cause, Object.getOwnPropertyNames(error.cause))}`;
        expect(shown).not.toMatch(/test-|another-/);
      } finally {
        process.env[name] = before;
      }
    });

    it('names missing credentials', async () => {
      const before = { ...process.env };
      for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
      Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: 'true', HOME: dir });
      try {
        expect((await problemOf({})).code).toBe('BLOB_STORE_CREDENTIALS');
      } finally {
        process.env.HOME = before.HOME;
        delete process.env.AWS_EC2_METADATA_DISABLED;
        Object.assign(process.env, before);
      }
    });
  });

  it('never shows credentials in an error', async () => {
    faulty.fault(() => ({ status: 403 }));

    const error: unknown = await store.has(digestBytes(small).sha256).catch((thrown) => thrown);

    expect(error).toMatchObject(unreachable);
    const { message, cause } = error as FeedError;
    expect(`${message} ${JSON.stringify(cause, Object.getOwnPropertyNames(cause))}`).not.toMatch(/test-/);
  });
});
