import { Router } from 'express';
import type { Audit, AuditEntry } from '../audit/audit.ts';
import { principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Keys } from '../keys/keys.ts';
import { readQuery } from './read.ts';
import { type ReleaseOrigin, ReleaseParameters } from './schemas.ts';

const pageSize = 1000;

export type ReleaseServices = { readonly audit: Audit; readonly keys: Pick<Keys, 'list'> };

/**
 * Which keys published a release here, and why, according to the audit log: package, payloads, and the tag in the bucket. Open to
 * whoever may publish that package as stable and so will answer for it; the rest of the audit log, and clients' addresses, need
 * `admin`.
 */
export function createReleaseRouter({ audit, keys }: ReleaseServices): Router {
  const router = Router();
  router
    .route('/releases/:id/:version')
    .get(async (req, res) => {
      const { id, version } = req.params;
      await principalWith(req, ['push'], id);
      const { tool = id } = readQuery(ReleaseParameters, req);
      await principalWith(req, ['push'], tool);
      const subjects = new Set([id, tool].map((name) => name.toLowerCase()));
      const about = [...subjects].map((subject) => listAll(audit, subject));
      const tag = listAll(audit, `refs/tags/${tool}/v${version}`);
      const entries = (await Promise.all([...about, tag]))
        .flat()
        .filter(({ change }) => isOf(version, change))
        .sort((a, b) => a.number - b.number);
      const owners = new Map((await keys.list()).map(({ keyId, owner }) => [keyId, owner]));
      res.json({
        entries: entries.map((entry) => toJson(entry, owners.get(entry.by.keyId))),
      } satisfies ReleaseOrigin);
    })
    .all(methodNotAllowed('GET, HEAD'));
  return router;
}

async function listAll(audit: Audit, subject: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (;;) {
    const page = await audit.list({ subject, after: entries.at(-1)?.number, limit: pageSize });
    entries.push(...page);
    if (page.length < pageSize) return entries;
  }
}

function isOf(version: string, { kind, version: of }: AuditEntry['change']): boolean {
  return (
    kind === 'bucket moved' || (of === version && (kind === 'package published' || kind === 'payload added'))
  );
}

function toJson(
  { at, change, by: { keyId, keyName } }: AuditEntry,
  owner: string | undefined,
): ReleaseOrigin['entries'][number] {
  return { at: at.toISOString(), ...change, keyId, keyName, ...(owner === undefined ? {} : { owner }) };
}
