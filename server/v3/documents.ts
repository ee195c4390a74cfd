import type { CatalogReader } from '../catalog/catalog.ts';
import type { SemVerView } from '../catalog/query.ts';
import type { Body } from '../http/body.ts';
import type { PrepareResponse } from '../http/prepared-response.ts';
import { prepareText, type TextDocument } from '../http/send-text.ts';
import { hivePaths, v3Links } from './links.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { readIndex } from './read-registration.ts';
import type { V3Services } from './router.ts';
import { search } from './search.ts';

type DocumentServices = Pick<V3Services, 'catalog' | 'revisions' | 'publicUrl'> & {
  readonly cache: Pick<V3Services['cache'], 'revalidate'>;
};

export type Documents = {
  /** @param id of the packages that it is about; left out when it is about more than one */
  json(document: object, id?: string): TextDocument;
  /** @param from the client's address */
  search(parameters: Parameters, from: string | undefined): Promise<TextDocument>;
  index(id: string, view: SemVerView, from: string | undefined): Promise<TextDocument>;
};

/** The documents of v3 as Express and the response cache send them. */
export function createDocuments({ catalog, revisions, publicUrl, cache }: DocumentServices): Documents {
  const headers = ['Content-Type', 'application/json; charset=utf-8', 'Cache-Control', cache.revalidate];
  const links = () => v3Links(publicUrl());
  const document = (text: string | Body, id?: string): TextDocument => ({
    headers,
    text,
    ...(id !== undefined && { id }),
  });
  return {
    json: (content, id) => document(JSON.stringify(content), id),
    async search(parameters, from) {
      const reader: CatalogReader = catalog.readerFor(from);
      const services = { catalog: { ...reader, versionsOf: catalog.versionsOf }, revisions, links: links() };
      return document(await search(parameters, services));
    },
    async index(id, view, from) {
      const index = await readIndex({ catalog: catalog.readerFor(from), id, view }, links());
      return document(JSON.stringify(index), id);
    },
  };
}

const indexPath = new RegExp(`^/(${Object.values(hivePaths).join('|')})/([\\w.-]+)/index\\.json$`);

/** Searches and the indexes of registrations, which clients ask for most, for the response cache. Mounted at `/v3`. */
export function createV3Preparer(services: DocumentServices): PrepareResponse {
  const documents = createDocuments(services);
  return async ({ rawPath, rawQuery, plusSign, takesGzip, from }) => {
    if (rawPath === '/search') {
      const parameters = readParameters(`?${rawQuery}`, plusSign);
      return prepareText(await documents.search(parameters, from), takesGzip);
    }
    const [, hive, id] = indexPath.exec(rawPath) ?? [];
    if (id === undefined) return undefined;
    const view = hive === hivePaths.semver1 ? 'semver1' : 'semver2';
    return prepareText(await documents.index(id, view, from), takesGzip);
  };
}
