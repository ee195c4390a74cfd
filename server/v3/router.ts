import express, { type Request, type Response } from 'express';
import { parseNuGetVersion } from '../../formats/nuget-version.ts';
import { fail } from '../errors.ts';
import { clientPart } from '../http/client-path.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { plusSignOf } from '../http/plus-sign.ts';
import type { Route } from '../http/prepared-response.ts';
import { prepareText, sendText } from '../http/send-text.ts';
import { createDocuments, type DocumentServices } from './documents.ts';
import { hivePaths, v3Links } from './links.ts';
import { readParameters } from './parameters.ts';
import { readPage, readVersion } from './read-registration.ts';
import { registrationEntry, registrationLeaf } from './registration.ts';
import { autocomplete } from './search.ts';
import { serviceIndex } from './service-index.ts';

const indexPath = new RegExp(`^/(${Object.values(hivePaths).join('|')})/([\\w.-]+)/index\\.json$`);

/**
 * NuGet v3: service index, search and registrations over the same catalog as v2 (spec nuget-v2 section 14). The flat container is
 * in flat.ts, pushing in push/router.ts. Searches and registration indexes, which clients request most, are prepared for the
 * response cache.
 */
export function createV3Route(mount: string, services: DocumentServices): Route {
  const { catalog, publicUrl } = services;
  const router = express.Router();
  const linksAt = (mount: string) => v3Links(publicUrl(), clientPart(mount));
  const asked = (request: Request) => catalog.readerFor(request.ip);
  const documents = createDocuments(services);

  /** @param id of the packages that the document is about; absent when it is about more than one */
  const send = (request: Request, response: Response, document: object, id?: string): Promise<void> =>
    sendText(request, response, documents.json(document, id));

  // The meaning of a raw plus sign depends on the client; caches revalidate by the ETag of the answer.
  const parametersOf = (request: Request) =>
    readParameters(request.url, plusSignOf(request.get('user-agent')));

  router.get('/index.json', async (request, response) => {
    await send(request, response, serviceIndex(linksAt(request.baseUrl)));
  });
  // Base addresses that the index contains for clients; a person who opens one learns what it is for.
  router.get(['/flat', ...Object.values(hivePaths).map((path) => `/${path}`)], (request, response) => {
    response.redirect(`${linksAt(request.baseUrl).base}/index.json`);
  });
  router.get('/search', async (request, response) => {
    await sendText(
      request,
      response,
      await documents.search(parametersOf(request), request.ip, linksAt(request.baseUrl)),
    );
  });
  router.get('/autocomplete', async (request, response) => {
    const parameters = parametersOf(request);
    await send(request, response, await autocomplete(parameters, { catalog: asked(request) }));
  });
  for (const view of ['semver1', 'semver2'] as const) {
    const hive = `/${hivePaths[view]}`;
    router.get(`${hive}/:id/index.json`, async (request, response) => {
      const { id } = request.params;
      await sendText(
        request,
        response,
        await documents.index(id, view, request.ip, linksAt(request.baseUrl)),
      );
    });
    for (const [path, print] of [
      [`${hive}/:id/:file`, registrationLeaf],
      [`${hive}/:id/entry/:file`, registrationEntry],
    ] as const) {
      router.get(path, async (request, response) => {
        const { id, file } = request.params;
        const from = { catalog: asked(request), id, view };
        await send(
          request,
          response,
          await readVersion(from, versionIn(file), linksAt(request.baseUrl), print),
          id,
        );
      });
    }
    router.get(`${hive}/:id/page/:lower/:file`, async (request, response) => {
      const { id, lower, file } = request.params;
      const from = { catalog: asked(request), id, view };
      const page = await readPage(from, versionIn(lower), versionIn(file), linksAt(request.baseUrl));
      await send(request, response, page, id);
    });
    router.all(
      [`${hive}/:id/:file`, `${hive}/:id/entry/:file`, `${hive}/:id/page/:lower/:file`],
      methodNotAllowed('GET, HEAD'),
    );
  }
  router.all(['/index.json', '/search', '/autocomplete'], methodNotAllowed('GET, HEAD'));
  router.all('/publish', methodNotAllowed('PUT'));
  router.all('/publish/:id/:version', methodNotAllowed('DELETE, POST'));
  return {
    mount,
    router,
    async prepare({ mount: written, rawPath, rawQuery, plusSign, acceptsGzip, from }) {
      const links = linksAt(written);
      if (rawPath === '/search') {
        const parameters = readParameters(`?${rawQuery}`, plusSign);
        return prepareText(await documents.search(parameters, from, links), acceptsGzip);
      }
      const [, hive, id] = indexPath.exec(rawPath) ?? [];
      if (id === undefined) return undefined;
      const view = hive === hivePaths.semver1 ? 'semver1' : 'semver2';
      return prepareText(await documents.index(id, view, from, links), acceptsGzip);
    },
  };
}

/** `1.0.0` or `1.0.0.json`; the catalog would compare an invalid version as text. */
function versionIn(text: string): string {
  const version = text.replace(/\.json$/i, '');
  return parseNuGetVersion(version)
    ? version
    : fail('PATH_INVALID', { problem: `${JSON.stringify(text)} is not a version.` });
}
