import express, { type Request, type Response } from 'express';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';
import { readNuspecOf } from '../feed/read-nuspec.ts';
import { retrieve } from '../feed/retrieve.ts';
import { namedFiles } from '../feed/shown-addresses.ts';
import type { CachePolicies } from '../http/cache.ts';
import type { BeginDownload } from '../http/download-count.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Route } from '../http/prepared-response.ts';
import { preparePackage, sendPackage } from '../http/send-package.ts';
import { sendText } from '../http/send-text.ts';
import { findVersions } from './find-versions.ts';
import { jsonDocument } from './json-document.ts';
import { answerNamedFile } from './named-file.ts';

export type FlatServices = {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly cache: CachePolicies;
  readonly beginDownload: BeginDownload;
};

/** The flat container of NuGet v3 (spec nuget-v2 section 14): versions of an id, packages and their files. */
export function createFlatRoute(mount: string, services: FlatServices): Route {
  const { catalog, cache, beginDownload } = services;
  const router = express.Router();
  router.get('/:id/index.json', async (request, response) => {
    const { id } = request.params;
    const versions = await findVersions({ catalog: catalog.readerFor(request.ip), id, view: 'semver2' });
    if (versions.length === 0) fail('PACKAGE_NOT_FOUND', { id, version: 'in any version' });
    const document = { versions: versions.map((version) => version.toLowerCase()) };
    await sendText(request, response, jsonDocument(cache, JSON.stringify(document), { id }));
  });
  for (const file of namedFiles) {
    router.get(`/:id/:version/${file}`, (request, response) =>
      answerNamedFile({ ...request.params, file }, request, response, services),
    );
  }
  router.get('/:id/:version/:file', (request, response) =>
    answerFlatFile(request.params, request, response, services),
  );
  router.all(['/:id/index.json', '/:id/:version/:file'], methodNotAllowed('GET, HEAD'));
  return {
    mount,
    router,
    async prepare({ rawPath, isConditional }) {
      const [, id = '', version = '', file] = /^\/([\w.-]+)\/([\w.-]+)\/([\w.-]+)$/.exec(rawPath) ?? [];
      const isPackage = file?.toLowerCase() === `${id}.${version}.nupkg`.toLowerCase();
      if (!isPackage || isConditional) return undefined;
      return preparePackage(await retrieve(services, id, version), cache.immutable, beginDownload);
    },
  };
}

type File = { readonly id: string; readonly version: string; readonly file: string };

/**
 * Answers with a file of the flat container (spec nuget-v2 section 14): the package, counted and cached as on v2, or its nuspec.
 * The id and version of the path decide, and the file name has to match.
 * @throws FeedError PACKAGE_NOT_FOUND
 */
async function answerFlatFile(
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
