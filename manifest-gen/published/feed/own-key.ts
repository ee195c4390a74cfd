import { z } from 'zod';
import { ask, type FeedHttp, refuse } from './http.ts';

const OwnKey = z.object({
  name: z.string(),
  scopes: z.array(z.string()),
  /** What it is limited to; older servers do not say. */
  ids: z.array(z.string()).default([]),
});
export type OwnKey = z.infer<typeof OwnKey>;

/**
 * What the key may do to a package or tool. Undefined when the server does not say: an older one, or another product.
 * @throws ReleaseError FEED_REFUSED for a key that the server does not know, FEED_UNREACHABLE
 */
export async function askOwnKey(http: FeedHttp, serverUrl: string, id: string): Promise<OwnKey | undefined> {
  const response = await ask(http, `${serverUrl}/api/v1/key?id=${encodeURIComponent(id)}`);
  if ([401, 403].includes(response.statusCode)) refuse(response, 'the request for what the key may do');
  if (response.statusCode !== 200) return undefined;
  try {
    return OwnKey.parse(JSON.parse(response.body));
  } catch {
    // some other server that answers 200 to everything
    return undefined;
  }
}
