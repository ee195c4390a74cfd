import type { Source } from './source.ts';
import { createV2Source } from './v2-feed.ts';
import { createV3Source } from './v3-feed.ts';
import { refuse, refusePage, type Web } from './web.ts';

/**
 * The feed at an address: v3 if it ends in .json, as for every client (spec nuget-v2 2.1), or if it answers JSON with resources;
 * otherwise v2. An answer that is neither, such as a page for people, is an error before anything is imported.
 */
export async function openFeedSource(web: Web, address: URL): Promise<Source> {
  if (address.pathname.toLowerCase().endsWith('.json')) return createV3Source(web, address);
  const { status, text, url } = await web.read(address);
  if (status === 401 || status === 403) refuse(status, address);
  if (/^\s*\{/.test(text) && text.includes('"resources"')) return createV3Source(web, url);
  if (status === 200) refusePage(text, url);
  return createV2Source(web, address);
}
