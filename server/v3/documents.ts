import type { Catalog, CatalogReader } from '../catalog/catalog.ts';
import type { SemVerView } from '../catalog/query.ts';
import type { Revisions } from '../catalog/revisions.ts';
import type { CachePolicies } from '../http/cache.ts';
import type { TextDocument } from '../http/send-text.ts';
import { jsonDocument } from './json-document.ts';
import type { V3Links } from './links.ts';
import type { Parameters } from './parameters.ts';
import { readIndex } from './read-registration.ts';
import { search } from './search.ts';

export type DocumentServices = {
  readonly catalog: Pick<Catalog, 'readerFor' | 'versionsOf'>;
  readonly revisions: Pick<Revisions, 'known'>;
  /** Known once the server listens. */
  readonly publicUrl: () => string;
  readonly cache: Pick<CachePolicies, 'revalidate'>;
};

export type Documents = {
  /** @param id of the packages that it is about; absent when it is about more than one */
  json(document: object, id?: string): TextDocument;
  /** @param from the client's address */
  search(parameters: Parameters, from: string | undefined, links: V3Links): Promise<TextDocument>;
  index(id: string, view: SemVerView, from: string | undefined, links: V3Links): Promise<TextDocument>;
};

/** The documents of v3, for Express and the response cache. */
export function createDocuments({
  catalog,
  revisions,
  cache,
}: Omit<DocumentServices, 'publicUrl'>): Documents {
  return {
    json: (content, id) => jsonDocument(cache, JSON.stringify(content), id === undefined ? {} : { id }),
    async search(parameters, from, links) {
      const reader: CatalogReader = catalog.readerFor(from);
      const services = { catalog: { ...reader, versionsOf: catalog.versionsOf }, revisions, links };
      const { json, isUnchanged } = await search(parameters, services);
      return jsonDocument(cache, json, { isUnchanged });
    },
    async index(id, view, from, links) {
      const index = await readIndex({ catalog: catalog.readerFor(from), id, view }, links);
      return jsonDocument(cache, JSON.stringify(index), { id });
    },
  };
}
