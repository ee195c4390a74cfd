import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import express, { type Request, type Response, type Router } from 'express';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type Retrieved, retrieve } from '../feed/retrieve.ts';
import type { CachePolicies } from '../http/cache.ts';
import { rememberAnswer } from '../http/known-answers.ts';
import { sendBlob } from '../http/send-blob.ts';

/** Packages that wrap a script are small and asked for by every machine: these are kept in memory. */
const maxKnownBytes = 64 * 1024;

export type DownloadServices = {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly cache: CachePolicies;
};

/** The door for the bytes of packages, mounted at each base of the feed (spec nuget-v2 9.8). */
export function createDownloadRouter(services: DownloadServices): Router {
  const router = express.Router();
  router.get('/package/:id/:version', async (req, res) => {
    const found = await retrieve(services, req.params.id, req.params.version);
    await answer(req, res, found, services.cache.immutable);
  });
  router.get('/package/:id', async (req, res) => {
    // Another version tomorrow: kept, but asked for each time.
    await answer(req, res, await retrieve(services, req.params.id), services.cache.revalidate);
  });
  return router;
}

async function answer(
  req: Request,
  res: Response,
  { row, open, countDownload }: Retrieved,
  cacheControl: string,
): Promise<void> {
  await sendBlob(req, res, {
    sha256: row.sha256,
    sizeBytes: row.sizeBytes,
    contentType: 'application/zip',
    cacheControl,
    fileName: `${row.id}.${row.normalizedVersion}.nupkg`,
    open: async (range) => {
      if (range !== undefined || row.sizeBytes > maxKnownBytes) return open(range);
      const bytes = await buffer(await open());
      rememberAnswer(req, res, bytes, { kind: 'bytes', begin: () => countDownload });
      return Readable.from([bytes]);
    },
    onWholeSent: countDownload,
  });
}
