import { AuditPage, DownloadList } from '../api/schemas.ts';
import type { Audit, AuditEntry, AuditHead } from '../audit/audit.ts';
import { type DownloadJson, toDownloadJson } from '../audit/download-json.ts';
import type { Downloads } from '../audit/downloads.ts';
import { fromEntryJson } from '../audit/entry-json.ts';
import { type RunningServer, readJson } from './ask-server.ts';

export type AuditLogQuery = { readonly since?: Date | undefined; readonly id?: string | undefined };

/** The audit log, in the data folder or through the server that uses it. */
export type AuditLog = {
  entries(query?: AuditLogQuery): AsyncIterable<AuditEntry>;
  head(): Promise<AuditHead>;
  downloads(id: string, version?: string): Promise<DownloadJson[]>;
};

const pageSize = 1000;

export function localAuditLog({ audit, downloads }: { audit: Audit; downloads: Downloads }): AuditLog {
  return {
    async *entries({ since, id } = {}) {
      for (let after = 0; ; ) {
        const page = await audit.list({ since, subject: id, after, limit: pageSize });
        yield* page;
        const last = page.at(-1);
        if (last === undefined) return;
        after = last.number;
      }
    },
    head: () => audit.head(),
    downloads: async (id, version) => (await downloads.list(id, version)).map(toDownloadJson),
  };
}

export function remoteAuditLog(server: RunningServer): AuditLog {
  function readPage(query: Record<string, string | number | undefined>): Promise<AuditPage> {
    return readJson(server, 'api/v1/audit', AuditPage, { searchParams: query });
  }
  return {
    async *entries({ since, id } = {}) {
      for (let after: number | null = 0; after !== null; ) {
        const page: AuditPage = await readPage({ since: since?.toISOString(), id, after, limit: pageSize });
        yield* page.entries.map(fromEntryJson);
        after = page.next;
      }
    },
    head: async () => (await readPage({ limit: 1 })).head,
    downloads: (id, version) =>
      readJson(server, 'api/v1/downloads', DownloadList, { searchParams: { id, version } }),
  };
}
