import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import express, { type Request, type Response, type Router } from 'express';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type Retrieved, retrieve } from '../feed/retrieve.ts';
import type { CachePolicies } from '../http/cache.ts';
import type { BeginDownload } from '../http/download-count.ts';
import { rememberAnswer } from '../http/known-answers.ts';
import { sendBlob } from '../http/send-blob.ts';

/** Packages that wrap a script are small and asked for by every machine: these are kept in memory. */
const maxKnownBytes = 64 * 1024;

export type DownloadServices = {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly cache: CachePolicies;
  readonly beginDownload: BeginDownload;
};

/** The door for the bytes of packages, mounted at each base of the feed (spec nuget-v2 9.8). */
export function createDownloadRouter(services: DownloadServices): Router {
  const router = express.Router();
  router.get('/package/:id/:version', async (req, res) => {
    const found = await retrieve(services, req.params.id, req.params.version);
    await answer(req, res, found, services.cache.immutable, services.beginDownload);
  });
  router.get('/package/:id', async (req, res) => {
    // Another version tomorrow: kept, but asked for each time.
    const found = await retrieve(services, req.params.id);
    await answer(req, res, found, services.cache.revalidate, services.beginDownload);
  });
  return router;
}

async function answer(
  req: Request,
  res: Response,
  { row, open }: Retrieved,
  cacheControl: string,
  beginDownload: BeginDownload,
): Promise<void> {
  const what = { id: row.id, version: row.normalizedVersion };
  await sendBlob(req, res, {
    sha256: row.sha256,
    sizeBytes: row.sizeBytes,
    contentType: 'application/zip',
    cacheControl,
    fileName: `${row.id}.${row.normalizedVersion}.nupkg`,
    open: async (range) => {
      if (range !== undefined || row.sizeBytes > maxKnownBytes) return open(range);
      const bytes = await buffer(await open());
      rememberAnswer(req, res, bytes, {
        kind: 'bytes',
        begin: (again, from) => beginDownload(again, what, from),
      });
      return Readable.from([bytes]);
    },
    onWholeSent: beginDownload(req, what, req.ip),
  });
}
