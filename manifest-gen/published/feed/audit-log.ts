import * as z from 'zod';
import { askServer, type FeedHttp, jsonFrom } from './http.ts';
import { runIn } from './run-url.ts';

const Origin = z.object({
  entries: z.array(
    z.object({
      kind: z.string(),
      file: z.string().optional(),
      detail: z.string().optional(),
      at: z.string(),
      keyId: z.string(),
      keyName: z.string(),
      owner: z.string().optional(),
    }),
  ),
});

/** Who released a version, as the audit log of the server has it. */
export type ReleasedBy = {
  readonly key: string;
  readonly owner?: string | undefined;
  readonly at: string;
  /** The pipeline's run, where it said so. */
  readonly run?: string | undefined;
  /** Parts of it that came by other keys, each with the key's name. */
  readonly others: readonly { readonly what: string; readonly key: string }[];
};

/**
 * Undefined where the server has no entry (it was imported), says nothing to this key (it needs the scope push), or does not know
 * the request (an older server).
 * @throws ReleaseError FEED_UNREACHABLE
 */
export async function askReleasedBy(
  http: FeedHttp,
  { id, tool, version }: { readonly id: string; readonly tool: string; readonly version: string },
): Promise<ReleasedBy | undefined> {
  const response = await askServer(http, ['releases', id, version], { searchParams: { tool } });
  const entries = jsonFrom(response, Origin)?.entries;
  const pushed = entries?.find(({ kind }) => kind === 'package published');
  if (entries === undefined || pushed === undefined) return undefined;
  const { keyName: key, owner, at, detail } = pushed;
  return {
    key,
    owner,
    at,
    run: runIn(detail),
    others: entries
      .filter(({ keyId }) => keyId !== pushed.keyId)
      .map(({ kind, file, keyName }) => ({
        what: file ?? (kind === 'bucket moved' ? 'the manifest' : kind),
        key: keyName,
      })),
  };
}

/** `key night (platform team) at 2026-11-29T02:00:00.000Z, run https://...` */
export function describeReleasedBy({ key, owner, at, run }: ReleasedBy): string {
  return `key ${key}${owner === undefined ? '' : ` (${owner})`} at ${at}${run === undefined ? '' : `, run ${run}`}`;
}

const Page = z.object({
  entries: z.array(
    z.object({ kind: z.string(), version: z.string().optional(), detail: z.string().optional() }),
  ),
  next: z.number().nullable(),
});

/** Of 1,000 entries each. */
const maxPages = 20;

/**
 * Why a version was last unlisted, from the audit log of the server. Undefined if it has no reason, or this key lacks the scope
 * admin.
 * @throws ReleaseError FEED_UNREACHABLE
 */
export async function askWhyUnlisted(
  http: FeedHttp,
  { id, version }: { readonly id: string; readonly version: string },
): Promise<string | undefined> {
  let reason: string | undefined;
  let after: number | null = 0;
  for (let page = 0; page < maxPages && after !== null; page++) {
    const response = await askServer(http, ['audit'], { searchParams: { id, after } });
    const answer: z.infer<typeof Page> | undefined = jsonFrom(response, Page);
    const unlisted = answer?.entries.findLast(
      (one) => one.kind === 'package unlisted' && one.version === version,
    );
    reason = unlisted?.detail ?? reason;
    after = answer?.next ?? null;
  }
  return reason;
}
