import { join } from 'node:path';
import type { Invocation } from '../../../invocation.ts';
import { quickRetryPolicy, retryPolicy } from '../../../outbound/ask-host.ts';
import { createHttp, type Http } from '../../../outbound/http.ts';
import { createSilentHosts } from '../../../outbound/silent-hosts.ts';
import { type Cache, createCache } from '../../../system/cache/cache.ts';
import { claimCache } from '../../../system/cache/claim-cache.ts';
import type { Environment } from '../../../system/child-environment.ts';
import { createExchangedKey } from '../../published/feed/exchange-token.ts';
import { serverOf } from '../../published/feed/http.ts';
import { runUrl } from '../../published/feed/run-url.ts';
import type { FeedKey } from '../../published/feed-key.ts';
import { createJsonReport } from '../../report/json.ts';
import { createLineReport } from '../../report/lines.ts';
import type { CommandReport } from '../../report/report.ts';
import { type GeneratorConfig, loadGeneratorConfig } from '../../settings/config.ts';
import { createUpstreams, type Upstreams } from '../../sources/upstreams.ts';
import { readTools, requireWhole, type Tool, type ToolsFolder } from '../../tool-file/tools.ts';
import { applyTrustFile } from '../../tool-file/trust-file.ts';
import type { OpenToolkit, Toolkit } from '../../toolkit.ts';

/** A toolkit whose report accepts the messages of verbs. */
export type VerbToolkit = Toolkit & { readonly report: CommandReport; readonly version: string };

/** The same with feed and bucket. */
export type OpenVerbToolkit = VerbToolkit & OpenToolkit;

export type ToolkitOptions = {
  /** How long a forge may ask to wait, in milliseconds. */
  readonly maxWaitMs?: number | undefined;
  /** Nothing is made from the answers, so there are fewer retries. */
  readonly isReadOnly?: boolean | undefined;
};

/** @throws ReleaseError SETTINGS_INVALID */
export function createToolkit(
  invocation: Invocation,
  report: CommandReport,
  { maxWaitMs = retryPolicy.maxPauseMs, isReadOnly = false }: ToolkitOptions = {},
): VerbToolkit {
  const { signal, productDir } = invocation;
  const { platform, execPath: nodePath } = process;
  const config = loadGeneratorConfig(invocation);
  const { githubApiUrl: apiUrl, githubToken: token, toolsDir } = config;
  const cache = createCache(config.cacheDir, () => claimCache(config.cacheDir));
  const common = {
    http: createHttp({ ...config, userAgent: `go-win-tools/${invocation.version}` }),
    retryPolicy: { ...(isReadOnly ? quickRetryPolicy : retryPolicy), maxPauseMs: maxWaitMs },
    silentHosts: createSilentHosts(),
    signal,
    env: withoutOurKeys(invocation.env),
    now: () => new Date(),
  };
  const forge = { apiUrl, token, onPause: report.waiting };
  const settings = { ...common, ...forge, onWarning: report.warn, platform, nodePath };
  const upstreamsWith = (other: Cache): Upstreams => createUpstreams({ ...settings, cache: other });
  return {
    ...common,
    feedKey: feedKeyOf(config, common.http, signal),
    ...{ config, report, version: invocation.version, productDir, toolsDir, cache, upstreamsWith },
    run: runUrl(invocation.env),
    upstreams: upstreamsWith(cache),
    isBundled: false,
  };
}

export function createReport(
  { stdout, stderr, env }: Pick<Invocation, 'stdout' | 'stderr' | 'env'>,
  choice: { readonly json?: boolean | undefined; readonly quiet?: boolean | undefined },
): CommandReport {
  return choice.json
    ? createJsonReport(stdout, stderr)
    : createLineReport(stdout, stderr, { isQuiet: choice.quiet === true, env });
}

/** Every tool. @throws ReleaseError TOOL_FILE_INVALID, TOOL_FILES_INVALID */
export async function loadToolsOf(toolkit: Toolkit): Promise<readonly Tool[]> {
  return requireWhole(await readToolsOf(toolkit));
}

/** The tools `only`, or all, and those whose files are not right. @throws ReleaseError TOOL_FILE_INVALID for folder and TRUST_FILE */
export async function readToolsOf(
  { config, toolsDir, productDir }: Toolkit,
  only: readonly string[] = [],
): Promise<ToolsFolder> {
  const folder = await readTools(toolsDir ?? join(productDir, 'manifest-gen', 'tools'), only);
  if (config.trustFile === undefined) return folder;
  return { ...folder, tools: await applyTrustFile(folder.tools, config.trustFile, folder.names) };
}

function feedKeyOf(config: GeneratorConfig, http: Http, signal: AbortSignal): FeedKey | undefined {
  const { feedApiKey, feedToken: source, feedPublisher: publisher } = config;
  if (feedApiKey !== undefined || source === undefined) return feedApiKey;
  const serverUrl = serverOf(config.feedUrl);
  const audience = config.feedTokenAudience ?? serverUrl;
  return createExchangedKey({ http, serverUrl, source, audience, publisher, signal });
}

/** No program that is run has any business with the keys of the feed; git, go and npm get less still (system/child-environment.ts). */
function withoutOurKeys(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ourKeys.test(name)));
}

const ourKeys = /^((FEED|ADMIN)_API_KEY|FEED_ID_TOKEN|ACTIONS_ID_TOKEN_REQUEST_TOKEN|OTEL_\w+_HEADERS)$/;
