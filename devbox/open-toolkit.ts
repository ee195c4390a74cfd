import type { Invocation } from '../invocation.ts';
import { createReport, createToolkit, type VerbToolkit } from '../manifest-gen/verbs/run/toolkit.ts';

/**
 * The services of a run against FEED_URL; without it, against the feed that the repository names. A repository may come from
 * anybody, so a feed that only it names is never sent a key.
 */
export function openToolkit(
  invocation: Invocation,
  feed: string | undefined,
  options: { readonly isQuiet: boolean; readonly isReadOnly: boolean },
): VerbToolkit {
  const report = createReport(invocation, { quiet: options.isQuiet });
  if (invocation.env.FEED_URL || feed === undefined) return createToolkit(invocation, report, options);
  const env = {
    ...invocation.env,
    FEED_URL: `${feed}/nuget`,
    FEED_API_KEY: undefined,
    FEED_API_KEY_FILE: undefined,
    FEED_ID_TOKEN: undefined,
    FEED_ID_TOKEN_FILE: undefined,
  };
  const toolkit = createToolkit({ ...invocation, env }, report, options);
  return { ...toolkit, feedKey: undefined, config: { ...toolkit.config, isStartKey: false } };
}
