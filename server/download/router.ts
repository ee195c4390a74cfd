import express from 'express';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { retrieve } from '../feed/retrieve.ts';
import type { CachePolicies } from '../http/cache.ts';
import type { BeginDownload } from '../http/download-count.ts';
import type { Route } from '../http/prepared-response.ts';
import { preparePackage, sendPackage } from '../http/send-package.ts';

export type DownloadServices = {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly cache: CachePolicies;
  readonly beginDownload: BeginDownload;
};

/** Downloads of packages, at `/package` of each base of the feed (spec nuget-v2 9.8). */
export function createDownloadRoute(mount: string, services: DownloadServices): Route {
  const { cache, beginDownload } = services;
  const router = express.Router();
  router.get('/:id/:version', async (req, res) => {
    const found = await retrieve(services, req.params.id, req.params.version);
    await sendPackage(req, res, found, cache.immutable, beginDownload);
  });
  router.get('/:id', async (req, res) => {
    // This address may lead to another version tomorrow, so caches have to revalidate.
    const found = await retrieve(services, req.params.id);
    await sendPackage(req, res, found, cache.revalidate, beginDownload);
  });
  return {
    mount,
    router,
    async prepare({ rawPath, isConditional }) {
      const [, id, version] = /^\/([\w.-]+)(?:\/([\w.-]+))?$/.exec(rawPath) ?? [];
      if (id === undefined || isConditional) return undefined;
      const cacheControl = version === undefined ? cache.revalidate : cache.immutable;
      return preparePackage(await retrieve(services, id, version), cacheControl, beginDownload);
    },
  };
}
