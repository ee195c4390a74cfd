import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe } from 'vitest';
import { openS3Store } from '../../server/blobs/s3-store.ts';
import { type BlobStoreFixture, describeBlobStore } from '../contract/blob-store.ts';
import { hasS3Server, type S3Server, startS3Server } from '../kit/s3-server.ts';

describe.skipIf(!hasS3Server)('with an S3 server (versitygw)', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.close());

  async function openFixture(): Promise<BlobStoreFixture> {
    const dir = await mkdtemp(join(tmpdir(), 'gwt-s3-uploads-'));
    const bucket = await server.createBucket();
    const address = { bucket, prefix: 'a/feed', endpoint: server.endpoint, forcePathStyle: true };
    const open = () => openS3Store(address, dir);
    return {
      store: await open(),
      reopen: open,
      async leftovers() {
        const { Uploads = [] } = await server.client.send(
          new ListMultipartUploadsCommand({ Bucket: bucket }),
        );
        return [...(await readdir(dir)), ...Uploads.map(({ Key }) => Key ?? '')];
      },
      close: () => rm(dir, { recursive: true, force: true }),
    };
  }

  describeBlobStore('S3Store', openFixture);
});
