import * as z from 'zod';
import { DownloadJson } from '../audit/download-json.ts';
import { AuditEntryJson } from '../audit/entry-json.ts';
import { inOneLine } from '../audit/reason.ts';
import { RefusalJson } from '../audit/refusal-json.ts';
import { scopes } from '../keys/api-keys.ts';

/** Query of GET /api/v1/audit. */
export const AuditParameters = z.strictObject({
  since: z.coerce.date('expected a date such as 2026-11-24 or 2026-11-24T12:00:00Z').optional(),
  id: z.string().min(1).optional().describe('A package id, tool, key id or git ref.'),
  after: z.coerce.number().int().min(0).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
});

/** Answer of GET /api/v1/audit, oldest entry first. */
export const AuditPage = z.object({
  entries: z.array(AuditEntryJson),
  next: z.int().nullable().describe('For `after`; null on the last page.'),
  head: z.object({ number: z.int(), hash: z.string() }).describe('The last entry that there is.'),
});
export type AuditPage = z.infer<typeof AuditPage>;

/** Query of GET /api/v1/refusals. */
export const RefusalParameters = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
});

/** Answer of GET /api/v1/refusals, oldest first. */
export const RefusalPage = z.object({
  refusals: z.array(RefusalJson),
  next: z.int().nullable().describe('For `after`; null on the last page.'),
});
export type RefusalPage = z.infer<typeof RefusalPage>;

/** Query of GET /api/v1/rollouts. */
export const RolloutParameters = z.object({
  tool: z.string().optional().describe('Of this tool only.'),
});

/** Body of POST /api/v1/imports. */
export const NewImport = z.strictObject({
  source: z
    .string()
    .max(2000)
    .regex(/^\P{Cc}+$/u, 'expected one line')
    .describe('The folder or feed that the packages came from.'),
  versions: z.int().min(1).describe('How many were taken over.'),
});
export type NewImport = z.infer<typeof NewImport>;

/** Body of POST /api/v1/purges. */
export const NewPurge = z.strictObject({
  id: z.string().min(1).max(100).describe('A package id or tool.'),
  version: z.string().min(1).max(64),
  reason: z
    .string()
    .transform((text) => inOneLine(text) ?? '')
    .refine((text) => text !== '', 'expected why')
    .describe('Why, for the audit log: one line, cut after 500 characters.'),
  force: z.boolean().optional().describe('Also when a branch of the bucket still offers it.'),
});

/** Answer of POST /api/v1/purges. */
export const PurgeReport = z.object({
  files: z
    .array(z.string())
    .readonly()
    .describe(
      'What is gone: `buf 1.32.0`, `dl/buf/1.32.0/buf-windows-amd64.exe`; empty when it was gone before.',
    ),
  kept: z
    .array(z.object({ sha256: z.string(), names: z.array(z.string()).readonly() }))
    .readonly()
    .describe('Bytes that stay, since others name them too.'),
  isWaiting: z
    .boolean()
    .describe(
      'The bytes are still on the disk: a backup, an export or a query reads them now, or the disk is full. They go once that is over.',
    ),
});
export type PurgeReport = z.infer<typeof PurgeReport>;

/** Query of GET /api/v1/downloads. */
export const DownloadParameters = z.strictObject({
  id: z.string().min(1).describe('A package id or tool.'),
  version: z.string().min(1).optional(),
});

/** Answer of GET /api/v1/downloads, newest first. */
export const DownloadList = z.array(DownloadJson);
export type DownloadList = z.infer<typeof DownloadList>;

/** Query of GET /api/v1/key. */
export const OwnKeyParameters = z.strictObject({
  id: z.string().min(1).optional().describe('A package id or tool; else what the key may do at all.'),
});

/** Answer of GET /api/v1/key. */
export const OwnKey = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string().nullable(),
  scopes: z
    .array(z.enum(scopes))
    .describe('All that the key may do, those that are implied by others included.'),
  ids: z.array(z.string()).describe('Globs over the package ids and tools that it is limited to; none: all.'),
  clients: z.array(z.string()).describe('Globs over client ids; none: all.'),
  networks: z.array(z.string()).describe('Networks that it may be used from; none: all.'),
  expires: z.iso.datetime().nullable(),
});
export type OwnKey = z.infer<typeof OwnKey>;

/** Query of GET /api/v1/releases/ID/VERSION. */
export const ReleaseParameters = z.strictObject({
  tool: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'expected the name of a tool')
    .optional()
    .describe('The tool, where the package has another id.'),
});

/** Answer of GET /api/v1/releases/ID/VERSION, oldest entry first; empty for a release that was not pushed to this server. */
export const ReleaseOrigin = z.object({
  entries: z.array(
    AuditEntryJson.omit({ number: true, from: true, previous: true, hash: true }).extend({
      owner: z.string().optional().describe('Who answers for the key, as it stands now.'),
    }),
  ),
});
export type ReleaseOrigin = z.infer<typeof ReleaseOrigin>;

/** GET /api/v1/traces/{id} */
export const TraceReport = z.object({
  traceId: z.string(),
  outcome: z.enum(['waiting', 'exported', 'failed', 'dropped']),
  problem: z.string().optional().describe('Why the collector did not take it.'),
});
export type TraceReport = z.infer<typeof TraceReport>;

/** GET /api/v1/server: the generator reads here what it writes into manifests. */
export const ServerInfo = z.object({
  name: z.literal('go-win-tools'),
  version: z.string(),
  publicUrl: z.url(),
  feedUrl: z.url(),
  payloadUrl: z.url(),
  bucketUrls: z.object({ main: z.url(), beta: z.url() }),
});
export type ServerInfo = z.infer<typeof ServerInfo>;
