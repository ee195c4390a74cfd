import express, { type Router } from 'express';
import { type Audit, importOf } from '../audit/audit.ts';
import { toDownloadJson } from '../audit/download-json.ts';
import type { Downloads } from '../audit/downloads.ts';
import { toEntryJson } from '../audit/entry-json.ts';
import { toRefusalJson } from '../audit/refusal-json.ts';
import type { Refusals } from '../audit/refusals.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { administratorOf, parseJson, readBody, readQuery } from './read.ts';
import {
  type AuditPage,
  AuditParameters,
  type DownloadList,
  DownloadParameters,
  NewImport,
  type RefusalPage,
  RefusalParameters,
} from './schemas.ts';

export type AuditServices = {
  readonly audit: Audit;
  readonly downloads: Downloads;
  readonly refusals: Refusals;
};

/** The audit log, and who has what; the router requires `admin` before. */
export function createAuditRouter({ audit, downloads, refusals }: AuditServices): Router {
  const router = express.Router();
  router
    .route('/audit')
    .get(async (req, res) => {
      const { since, id, after, limit } = readQuery(AuditParameters, req);
      const entries = await audit.list({ since, subject: id, after, limit });
      const last = entries.length === limit ? entries.at(-1) : undefined;
      const page: AuditPage = {
        entries: entries.map(toEntryJson),
        next: last?.number ?? null,
        head: await audit.head(),
      };
      res.json(page);
    })
    .all(methodNotAllowed('GET, HEAD'));
  router
    .route('/refusals')
    .get(async (req, res) => {
      const { after, limit } = readQuery(RefusalParameters, req);
      await refusals.flush();
      const found = await refusals.list({ after, limit });
      const last = found.length === limit ? found.at(-1) : undefined;
      const page: RefusalPage = { refusals: found.map(toRefusalJson), next: last?.number ?? null };
      res.json(page);
    })
    .all(methodNotAllowed('GET, HEAD'));
  router
    .route('/imports')
    .post(parseJson(), async (req, res) => {
      const { source, versions } = readBody(NewImport, req);
      await audit.record([importOf(source, versions)], await administratorOf(req));
      res.status(204).end();
    })
    .all(methodNotAllowed('POST'));
  router
    .route('/downloads')
    .get(async (req, res) => {
      const { id, version } = readQuery(DownloadParameters, req);
      const list: DownloadList = (await downloads.list(id, version)).map(toDownloadJson);
      res.json(list);
    })
    .all(methodNotAllowed('GET, HEAD'));
  return router;
}
