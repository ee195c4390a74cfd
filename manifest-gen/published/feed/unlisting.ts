import { z } from 'zod';
import { jsonOf } from '../../../formats/json.ts';
import { ask, type FeedHttp } from './http.ts';

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
  serverUrl: string,
  { id, version }: { readonly id: string; readonly version: string },
): Promise<string | undefined> {
  let reason: string | undefined;
  let after: number | null = 0;
  for (let page = 0; page < maxPages && after !== null; page++) {
    const url: string = `${serverUrl}/api/v1/audit?id=${encodeURIComponent(id)}&after=${after}`;
    const response = await ask(http, url);
    // some other server may answer 200 to everything
    const answer = response.statusCode === 200 ? Page.safeParse(jsonOf(response.body)).data : undefined;
    const unlisted = answer?.entries.findLast(
      (one) => one.kind === 'package unlisted' && one.version === version,
    );
    reason = unlisted?.detail ?? reason;
    after = answer?.next ?? null;
  }
  return reason;
}
