import { fail, ReleaseError } from '../../../errors/release-error.ts';
import { compareVersionTexts, parseNuGetVersion } from '../../../formats/nuget-version.ts';
import { requireKey, type Scope } from '../../publish/require-key.ts';
import { createFeedHttp, type FeedHttp } from '../../published/feed/http.ts';
import type { Toolkit } from '../../toolkit.ts';
import { splitArg } from '../run/request.ts';

/** Whose rollout is meant; without a version the open one. */
export type Target = { readonly tool: string; readonly version: string | undefined };

/** @throws ReleaseError USAGE */
export function readTarget(arg: string): Target {
  const { name: tool, version } = splitArg(arg);
  const isVersion = version === undefined || parseNuGetVersion(version) !== undefined;
  if (!/^[a-z0-9][\w.-]*$/.test(tool) || !isVersion)
    fail('USAGE', {
      problem: `"${arg}" names no rollout: write TOOL or TOOL@VERSION, such as delve@1.22.0.`,
    });
  return { tool, version };
}

/** However the version is spelled: `1.22`, `1.22.0`. */
export function isMeant(rollout: { readonly version: string }, version: string | undefined): boolean {
  return version === undefined || compareVersionTexts(rollout.version, version) === 0;
}

/**
 * The feed whose server has the rollouts, without its bucket: a halt must not wait for git.
 * @throws ReleaseError FEED_KEY_MISSING
 */
export function openRollouts({ http, config: { feedUrl }, feedKey, signal }: Toolkit): FeedHttp {
  if (feedKey === undefined) fail('FEED_KEY_MISSING', { url: feedUrl, needed: 'read' });
  return createFeedHttp(http, feedUrl, feedKey, signal);
}

/**
 * The same for whoever changes a rollout of a tool. What the key may do is asked only after a refusal, which may name another
 * scope (that of the list): a halt is to depend on as few answers as possible.
 * @throws ReleaseError FEED_KEY_MISSING, FEED_KEY_SCOPE, FEED_KEY_IDS, FEED_REFUSED for a key that the server does not know
 */
export async function changeRollout<T>(
  { http, config, feedKey, signal }: Toolkit,
  { tool, scope }: { readonly tool: string; readonly scope: Scope },
  change: (feed: FeedHttp) => Promise<T>,
): Promise<T> {
  const feed = createFeedHttp(http, config.feedUrl, feedKey, signal);
  const need = { tool: { tool, packageId: undefined }, scopes: [scope] };
  const requireScope = () => requireKey({ feed, endpoints: { isOwnServer: true } }, [need]);
  if (!feed.hasKey) await requireScope();
  try {
    return await change(feed);
  } catch (error) {
    if (error instanceof ReleaseError && [401, 403].includes(Number(error.details.status)))
      await requireScope();
    throw error;
  }
}
