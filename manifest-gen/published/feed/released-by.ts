import { z } from 'zod';
import { jsonOf } from '../../../formats/json.ts';
import { runIn } from '../../system/run-url.ts';
import { ask, type FeedHttp } from './http.ts';

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
  readonly owner?: string;
  readonly at: string;
  /** The pipeline's run, where it said so. */
  readonly run?: string;
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
  serverUrl: string,
  { id, tool, version }: { readonly id: string; readonly tool: string; readonly version: string },
): Promise<ReleasedBy | undefined> {
  const path = [id, version].map(encodeURIComponent).join('/');
  const response = await ask(http, `${serverUrl}/api/v1/releases/${path}?tool=${encodeURIComponent(tool)}`);
  const entries =
    response.statusCode === 200 ? Origin.safeParse(jsonOf(response.body)).data?.entries : undefined;
  const pushed = entries?.find(({ kind }) => kind === 'package published');
  if (entries === undefined || pushed === undefined) return undefined;
  const { keyName: key, owner, at, detail } = pushed;
  const run = runIn(detail);
  return {
    key,
    ...(owner === undefined ? {} : { owner }),
    at,
    ...(run === undefined ? {} : { run }),
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
