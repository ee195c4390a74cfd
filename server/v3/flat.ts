import type { Request, Response } from 'express';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';
import { readNuspecOf } from '../feed/read-nuspec.ts';
import { retrieve } from '../feed/retrieve.ts';
import type { CachePolicies } from '../http/cache.ts';
import type { BeginDownload } from '../http/download-count.ts';
import type { PrepareResponse } from '../http/prepared-response.ts';
import { preparePackage, sendPackage } from '../http/send-package.ts';

export type FlatServices = {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly cache: CachePolicies;
  readonly beginDownload: BeginDownload;
};
type File = { readonly id: string; readonly version: string; readonly file: string };

/**
 * Answers with a file of the flat container (spec nuget-v2 section 14): the package, counted and cached as on v2, or
 * its nuspec. The id and version of the path decide; a file name that says otherwise is unknown.
 * @throws FeedError PACKAGE_NOT_FOUND
 */
export async function answerFlatFile(
  { id, version, file }: File,
  request: Request,
  response: Response,
  services: FlatServices,
): Promise<void> {
  const name = file.toLowerCase();
  if (name === `${id}.nuspec`.toLowerCase()) {
    const { row } = await retrieve(services, id, version);
    const nuspec = await readNuspecOf(services.blobs, row);
    response.set('Cache-Control', services.cache.immutable).set('ETag', `"${row.sha256}-nuspec"`);
    response.type('application/xml').send(nuspec);
    return;
  }
  if (name !== `${id}.${version}.nupkg`.toLowerCase()) {
    fail('PACKAGE_NOT_FOUND', { id, version: `${version} in a file of this name` });
  }
  const found = await retrieve(services, id, version);
  await sendPackage(request, response, found, services.cache.immutable, services.beginDownload);
}

/** Plain requests for packages, for the response cache. Mounted at `/v3/flat`. */
export function createFlatPreparer(services: FlatServices): PrepareResponse {
  const { cache, beginDownload } = services;
  return async ({ rawPath, isConditional }) => {
    const [, id = '', version = '', file] = /^\/([\w.-]+)\/([\w.-]+)\/([\w.-]+)$/.exec(rawPath) ?? [];
    const isPackage = file?.toLowerCase() === `${id}.${version}.nupkg`.toLowerCase();
    if (!isPackage || isConditional) return undefined;
    return preparePackage(await retrieve(services, id, version), cache.immutable, beginDownload);
  };
}
