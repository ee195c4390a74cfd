import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { fail } from '../../errors/release-error.ts';
import type { Environment } from '../../system/child-environment.ts';
import { readTracing } from '../../tracing/settings.ts';
import { isUpstreamPlace } from '../tool-file/payload-place.ts';
import { defaultFeedUrl, type KeySource, readFeedKey, readText } from './feed-key.ts';
import { githubToken, givenToken } from './id-token.ts';
import {
  bundleKeys,
  databaseAddress,
  feedAddress,
  payloadTemplate,
  proxyAddress,
  token,
  webAddress,
} from './setting-forms.ts';

const text = z.string().optional();

/** Every setting of the generator (contract section 4): default, form and sentence. `--help` prints them from here. */
const Settings = z.object({
  FEED_URL: feedAddress().default(defaultFeedUrl).describe('the NuGet v2 feed to work with'),
  FEED_API_KEY: text.describe(
    'its key: push:beta for a beta, push to promote, push and unlist to withdraw, push and rollout for a rollout, approve to approve one; unset: FEED_API_KEY_FILE, or for a feed on this machine start.key in the data folder',
  ),
  FEED_API_KEY_FILE: text.describe('a file with the key'),
  FEED_ID_TOKEN: text.describe(
    'in place of a key: the OIDC token of a CI job, which the feed exchanges for a key (feed:keys trust); in GitHub Actions the run asks for one itself',
  ),
  FEED_ID_TOKEN_FILE: text.describe('a file with that token'),
  FEED_ID_TOKEN_AUDIENCE: text.describe(
    'the audience of a token from GitHub; unset: FEED_URL without /nuget, which is the PUBLIC_URL of the server',
  ),
  FEED_PUBLISHER: text.describe('which trusted publisher of the feed is meant, where several fit the token'),
  DATA_DIR: z.string().default('./data').describe('where a server on this machine keeps its start.key'),
  BUCKET_URL: text.describe("the Scoop bucket, any git URL or path; unset: the server's own bucket"),
  PAYLOAD_URL: payloadTemplate()
    .optional()
    .describe(
      "where Scoop downloads from, with {tool} {version} {file}, or with {repository} {tag} {asset} for upstream's own files; unset: the server's /dl",
    ),
  PAYLOAD_PUT: z
    .enum(['true', 'false'], 'must be true or false')
    .default('true')
    .describe(
      'false if PAYLOAD_URL does not accept uploads: the payloads must be there before a manifest names them',
    ),
  TOOLS_DIR: text.describe("a folder of tool files; unset: the product's own"),
  TRUST_FILE: text.describe('replaces the trust section of the tools that it names'),
  VULN_DB: databaseAddress()
    .optional()
    .describe(
      'known vulnerabilities: an address or a folder in the layout of https://vuln.go.dev; unset: no scan',
    ),
  POLICY_FILE: text.describe('which known vulnerabilities refuse a release (YAML); needs VULN_DB'),
  BUNDLE_KEY: bundleKeys()
    .optional()
    .describe(
      'the public keys (RW...) of trusted bundles, as bundle:create prints them, separated by commas',
    ),
  CACHE_DIR: text.describe(
    "downloads and builds, which cache:clean empties; unset: this platform's cache folder",
  ),
  GITHUB_API_URL: webAddress().default('https://api.github.com').describe("the forge's API"),
  GITHUB_TOKEN: token().optional().describe('a token for it: more requests an hour, private repositories'),
  HTTPS_PROXY: proxyAddress().optional().describe('a proxy for https, as for curl and npm'),
  HTTP_PROXY: proxyAddress().optional().describe('a proxy for plain http'),
  NO_PROXY: text.describe('hosts that are reached directly'),
  NODE_EXTRA_CA_CERTS: text.describe('more CAs (PEM file), for the feed, npm, git and Go'),
});

export type GeneratorConfig = ReturnType<typeof loadGeneratorConfig>;

/**
 * Reads and checks all settings. A setting that is empty counts as not given, as CI systems send them.
 * @throws ReleaseError SETTINGS_INVALID with every problem at once
 */
export function loadGeneratorConfig(source: KeySource, platform = process.platform) {
  const parsed = Settings.safeParse(given(source.env));
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const token = givenToken(source, problems);
  const key = readFeedKey(source, problems, token !== undefined);
  checkPaths(source, problems);
  const tracing = readTracing(source.env, problems);
  if (isUpstreamPlace(source.env.PAYLOAD_URL ?? '') && source.env.PAYLOAD_PUT !== 'false') {
    problems.push("PAYLOAD_PUT: must be false, since upstream's own server (PAYLOAD_URL) accepts no uploads");
  }
  if (!parsed.success || problems.length > 0)
    return fail('SETTINGS_INVALID', { problems: problems.join('\n') });
  const settings = parsed.data;
  const path = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : resolve(source.cwd, text);

  // as our own parser reads it: other programs must not read another host out of the same text
  const feed = new URL(settings.FEED_URL);

  return Object.freeze({
    /** Without a slash at its end. */
    feedUrl: trimSlash(feed.href),
    /** Undefined when there is none; only publishing needs it. */
    feedApiKey: key?.value,
    /** It opens everything at the server of this machine, and never leaves it. */
    isStartKey: key?.isStartKey === true,
    /** Of the CI job that this run is: the feed gives a key for it. */
    feedToken: key === undefined ? (token ?? githubToken(source)) : undefined,
    feedTokenAudience: settings.FEED_ID_TOKEN_AUDIENCE,
    feedPublisher: settings.FEED_PUBLISHER,
    bucketUrl: settings.BUCKET_URL === undefined ? undefined : bucketUrl(settings.BUCKET_URL, source.cwd),
    payloadUrl: settings.PAYLOAD_URL,
    isPayloadPut: settings.PAYLOAD_PUT === 'true',
    toolsDir: path(settings.TOOLS_DIR),
    trustFile: path(settings.TRUST_FILE),
    /** `https://vuln.go.dev`, without a slash at its end, or `file:///srv/vulndb`. */
    vulnDb: settings.VULN_DB === undefined ? undefined : databaseUrl(settings.VULN_DB, source.cwd),
    policyFile: path(settings.POLICY_FILE),
    /** Public keys in minisign's form whose bundles are taken. */
    bundleKeys: settings.BUNDLE_KEY?.split(',').map((key) => key.trim()) ?? [],
    dataDir: resolve(source.cwd, settings.DATA_DIR),
    cacheDir: path(settings.CACHE_DIR) ?? join(cacheHome(source.env, platform), 'go-win-tools'),
    /** Undefined: nothing is traced. */
    tracing,
    githubApiUrl: trimSlash(settings.GITHUB_API_URL),
    githubToken: settings.GITHUB_TOKEN || undefined,
    httpsProxy: settings.HTTPS_PROXY,
    httpProxy: settings.HTTP_PROXY,
    // a proxy would be another machine that sees it
    noProxy: key?.isStartKey ? [settings.NO_PROXY ?? '', feed.host].join() : settings.NO_PROXY,
  });
}

/** Which settings a verb has: all; `upstream`: it asks no server; `feed`: it only asks the server; `cache`: it contacts nobody. */
export type SettingsUse = 'all' | 'upstream' | 'feed' | 'cache';

const used: Readonly<Record<SettingsUse, RegExp>> = {
  all: /^/,
  upstream: /^(?!FEED_|BUCKET_URL|PAYLOAD_|POLICY_FILE|BUNDLE_KEY)/,
  feed: /^(FEED_\w+|DATA_DIR|\w+_PROXY|NODE_EXTRA_CA_CERTS)$/,
  cache: /^CACHE_DIR$/,
};

/**
 * The settings as `--help` shows them: name, default, sentence.
 * @param defaults those that are others for this verb
 */
export function generatorConfigHelp(
  use: SettingsUse = 'all',
  defaults: Readonly<Record<string, string>> = {},
): string {
  const rows = Object.entries(Settings.shape)
    .filter(([name]) => used[use].test(name))
    .map(([name, schema]) => {
      const usual = schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : undefined;
      const byDefault = defaults[name] ?? usual;
      return `  ${name.padEnd(20)} ${schema.description ?? ''}${byDefault === undefined ? '' : ` (${byDefault})`}`;
    });
  if (use === 'cache') return `Settings (environment):\n${rows.join('\n')}`;
  const traces =
    '  OTEL_EXPORTER_OTLP_ENDPOINT  a collector of traces; more settings: docs/operate/tracing.md';
  return `Settings (environment):\n${rows.join('\n')}\n${traces}`;
}

function given(env: Environment): Record<string, string> {
  const entries: [string, string][] = [];
  for (const name of Object.keys(Settings.shape)) {
    // curl and npm also read the proxies in lower case, and so do their users
    const value = env[name] || (name.endsWith('_PROXY') ? env[name.toLowerCase()] : undefined);
    if (value) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

/** Reported with all other faults, so that they can be corrected at once. */
function checkPaths({ env, cwd }: KeySource, problems: string[]): void {
  const dir = env.TOOLS_DIR;
  const isFolder = dir && statSync(resolve(cwd, dir), { throwIfNoEntry: false })?.isDirectory();
  if (dir && !isFolder) problems.push(`TOOLS_DIR: there is no folder ${dir}`);
  for (const name of ['TRUST_FILE', 'POLICY_FILE']) {
    const file = env[name];
    if (file && readText(resolve(cwd, file)) === undefined) problems.push(`${name}: cannot read ${file}`);
  }
  if (env.POLICY_FILE && !env.VULN_DB) problems.push('POLICY_FILE: it needs VULN_DB');
}

function cacheHome(env: Environment, platform: NodeJS.Platform): string {
  if (platform === 'win32') return env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return env.XDG_CACHE_HOME || join(homedir(), '.cache');
}

/** Of what git itself would read as a path, by its own rule: no scheme, and no colon before the first slash. git runs elsewhere. */
function bucketUrl(text: string, cwd: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/|^[^-/\\:][^/\\:]*:/i.test(text) ? text : resolve(cwd, text);
}

function databaseUrl(text: string, cwd: string): string {
  return /^(https?|file):/i.test(text) ? trimSlash(text) : pathToFileURL(resolve(cwd, text)).href;
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
