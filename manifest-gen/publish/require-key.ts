import { fail } from '../../errors/release-error.ts';
import { askOwnKey, type Endpoints } from '../published/feed/server-info.ts';
import { packageIdOf, type Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';

/** Scopes of a key of the feed (contract section 3). */
export type Scope = 'push:beta' | 'push' | 'unlist' | 'rollout' | 'approve';
export type Need = { readonly tool: Pick<Tool, 'tool' | 'packageId'>; readonly scopes: readonly Scope[] };

/**
 * Asked before the first thing is published, not by a dry run: a key that would be refused in the middle leaves half a release.
 * @throws ReleaseError FEED_KEY_MISSING, FEED_KEY_SCOPE, FEED_KEY_IDS, FEED_REFUSED for one that the server does not know
 */
export async function requireKey(
  toolkit: Pick<OpenToolkit, 'feed'> & { readonly endpoints: Pick<Endpoints, 'isOwnServer'> },
  needs: readonly Need[],
): Promise<void> {
  const { feed, endpoints } = toolkit;
  const used = needs.filter(({ scopes }) => scopes.length > 0);
  if (used.length === 0) return;
  if (!feed.hasKey) {
    const needed = [...new Set(used.flatMap(({ scopes }) => scopes))].join(' ');
    fail('FEED_KEY_MISSING', { url: feed.feedUrl, needed });
  }
  if (!endpoints.isOwnServer) return;
  for (const { tool, scopes } of used) {
    // one key for the whole verb: a withdrawal with one that may only unlist would end half way
    const needed = scopes.join(' ');
    // payloads and manifests go by the tool's name, packages by their id
    const ids = [...new Set([packageIdOf(tool), tool.tool])];
    for (const id of ids) {
      const key = await askOwnKey(feed, id);
      const lacking = scopes.find((scope) => key !== undefined && !key.scopes.includes(scope));
      if (key === undefined || lacking === undefined) continue;
      if (key.ids.length > 0 && key.scopes.length === 0) {
        fail('FEED_KEY_IDS', {
          key: key.name,
          ids: key.ids.join(', '),
          id,
          expected: ids.length === 1 ? id : `package ${ids[0]} and tool ${ids[1]}`,
          needed,
          options: ids.map((one) => `--id ${one}`).join(' '),
        });
      }
      fail('FEED_KEY_SCOPE', {
        key: key.name,
        id,
        expected: lacking,
        needed,
        found: key.scopes.join(', ') || 'none',
      });
    }
  }
}
