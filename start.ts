/** The verb `start`: server and generator in one process, so that one command shows the whole product. */
import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { Command } from 'commander';
import { ReleaseError } from './errors/release-error.ts';
import type { Invocation } from './invocation.ts';
import { defaultFeedUrl, isLoopback } from './manifest-gen/settings/feed-key.ts';
import type { UpstreamKind } from './manifest-gen/tool-file/sources.ts';
import type { Tool } from './manifest-gen/tool-file/tools.ts';
import { releaseFirst } from './manifest-gen/verbs/first.ts';
import {
  createReport,
  createToolkit,
  readToolsOf,
  type VerbToolkit,
} from './manifest-gen/verbs/run/toolkit.ts';
import { operator } from './server/audit/audit.ts';
import { loadConfig } from './server/config.ts';
import { rebuildCommand } from './server/database/driver.ts';
import { FeedError } from './server/errors.ts';
import { installCommands } from './server/gallery/commands.ts';
import type { Keys } from './server/keys/keys.ts';
import { createLogger } from './server/log.ts';
import { type RunningServer, startServer, whenAborted } from './server/serve.ts';
import { configHelp } from './server/settings.ts';
import { leaveCache } from './system/cache/claim-cache.ts';
import { runCommand } from './system/run-command.ts';

export function createCommand(invocation: Invocation): Command {
  return new Command('start')
    .description(
      'Starts the server. On an empty feed it also releases the first version of each tool and promotes it. A later start changes nothing that is published.',
    )
    .addHelpText('after', `\n${configHelp('one server')}`)
    .action(() => start(invocation));
}

async function start(invocation: Invocation): Promise<void> {
  const { env, productDir, version, signal, stdout } = invocation;
  const say = (text: string): void => void stdout.write(`${text}\n`);
  const config = loadConfig(env, 'one server');
  // One screen for people: requests are logged only if LOG_LEVEL asks for it.
  const log = createLogger(env.LOG_LEVEL ? config.logLevel : 'warn');
  let isFilling = false;
  const server = await withDriver(invocation, say, () =>
    startServer(config, log, { productDir, version, env, isFilling: () => isFilling }),
  );
  try {
    const key = await firstKey(server.services.keys, join(config.dataDir, 'start.key'));
    say(`The server is up: ${server.publicUrl}/`);
    if (server.url !== server.publicUrl) say(`It listens on ${server.url}`);
    if (isLoopback(server.publicUrl)) {
      say('This address works on this machine only; set HOST and PUBLIC_URL to serve others.');
    }
    say(`A key with every scope is in ${key.path}`);
    const isEmpty = (await server.services.catalog.size()) === 0;
    isFilling = isEmpty;
    await (isEmpty ? fillFeed(invocation, server, key.value, say) : tellTools(invocation, server, say));
    isFilling = false;
    if (!signal.aborted) say('Ctrl-C ends the server.');
    await whenAborted(signal);
  } finally {
    await server.stop();
    say('The server has stopped.');
  }
}

/**
 * After an upgrade of Node the database driver is still built for the previous version; in a checkout it is rebuilt, once.
 * @throws FeedError DATABASE_DRIVER when that fails, in an installed program, and on Windows
 */
async function withDriver<T>(
  invocation: Invocation,
  say: (text: string) => void,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof FeedError) || error.code !== 'DATABASE_DRIVER') throw error;
    // Windows has npx.cmd, which would need a shell.
    const isPossible =
      process.platform !== 'win32' && existsSync(join(invocation.productDir, 'pnpm-lock.yaml'));
    if (!isPossible) throw error;
    say(
      `The database driver was built for another Node than ${process.version}; it is rebuilt now, which can take some minutes.`,
    );
    if (!(await rebuildDriver(invocation))) throw error;
    return await run();
  }
}

async function rebuildDriver({ productDir, env, signal, stderr }: Invocation): Promise<boolean> {
  const [program, ...args] = rebuildCommand;
  // Rebuilds for the Node that runs us, even if another one comes first in PATH.
  const PATH = `${dirname(process.execPath)}${delimiter}${env.PATH ?? ''}`;
  const onLine = (line: string): void => void stderr.write(`${line}\n`);
  const result = await runCommand({ program, args, cwd: productDir, env: { ...env, PATH }, signal, onLine });
  // pnpm reports there what failed.
  if (result.exitCode !== 0) stderr.write(result.stdout.subarray(-4096));
  return result.exitCode === 0;
}

/** Works like any other maintainer: over HTTP, with a key. Ctrl-C stops it together with the server. */
async function fillFeed(
  invocation: Invocation,
  server: RunningServer,
  key: string,
  say: (text: string) => void,
): Promise<void> {
  say(
    '\nThe feed is empty, so the first version of each tool is released now. The feed already answers. A tool that is built from its Go module takes minutes, a large one a quarter of an hour.\n',
  );
  const toolkit = await ownToolkit(invocation, server, key);
  const missing = new Set(await toolsOf(toolkit, say));
  const sources = new Map<Tool, UpstreamKind | undefined>();
  try {
    await releaseFirst(toolkit, [...missing], async ({ tool, isInstallable, source }) => {
      sources.set(tool, source);
      if (!isInstallable) return;
      missing.delete(tool);
      await sayCommands(server, tool, say);
    });
  } catch (error) {
    // An interrupted run can fail in many ways, which are not worth reporting. If releases fail for any other reason, the feed
    // stays up.
    if (!invocation.signal.aborted) {
      if (!(error instanceof ReleaseError)) throw error;
      say(`${error.message}\n  ${error.hint}`);
    }
  } finally {
    await leaveCache(toolkit.config.cacheDir);
  }
  if (invocation.signal.aborted) return say(await afterInterruption(server));
  for (const tool of missing) sayHowToRelease(server, tool, sources.get(tool), say);
}

async function afterInterruption({ services }: RunningServer): Promise<string> {
  return (await services.catalog.size()) === 0
    ? 'Interrupted before anything was published; the next start begins again.'
    : 'Interrupted. What is published stays; the next start says how to release the rest.';
}

/** Says how to install each stable tool, and how to release the others: a later start releases nothing itself. */
async function tellTools(
  invocation: Invocation,
  server: RunningServer,
  say: (text: string) => void,
): Promise<void> {
  const toolkit = await ownToolkit(invocation, server, undefined);
  for (const tool of await toolsOf(toolkit, say)) {
    if (!(await sayCommands(server, tool, say))) sayHowToRelease(server, tool, undefined, say);
  }
  await sayWhereManifestsLead(server, say);
}

/** A manifest keeps the PUBLIC_URL of the server that it was made for: Scoop would go on downloading there. */
async function sayWhereManifestsLead(
  { publicUrl, url, services }: RunningServer,
  say: (text: string) => void,
): Promise<void> {
  const manifests = await services.bucket.listManifests('main');
  const bases = manifests.flatMap(({ tool, text }) => text.split(`/m/${tool}.json"`).slice(0, -1));
  const other = bases
    .map((before) => before.slice(before.lastIndexOf('"') + 1))
    .find((base) => base !== publicUrl);
  if (other === undefined) return;
  say(`\nScoop's manifests still lead to ${other}. To change them while the server runs${whereFeedIs(url)}:`);
  say(`  npx -y pnpm@10 bucket:rebase ${publicUrl}\n`);
}

/** One invalid tool file must not stop the other tools or the feed. @throws ReleaseError TOOL_FILE_INVALID for the folder */
async function toolsOf(toolkit: VerbToolkit, say: (text: string) => void): Promise<readonly Tool[]> {
  const { tools, broken } = await readToolsOf(toolkit);
  for (const { error } of broken) say(`${error.message}\n  ${error.hint}`);
  return tools;
}

/**
 * The release verbs look for a server at their default address, so another one must be named. So must a source other than the
 * tool's first: the verbs do not skip a source that is unreachable.
 */
function sayHowToRelease(
  server: RunningServer,
  { tool, first, sources }: Tool,
  chosen: UpstreamKind | undefined,
  say: (text: string) => void,
): void {
  say(
    `\n${tool} is not stable on the feed yet. To release it while the server runs${whereFeedIs(server.url)}:`,
  );
  const source = chosen === undefined || chosen === sources[0]?.kind ? '' : ` --source ${chosen}`;
  const version = first === undefined ? '' : `@${first}`;
  say(`  npx -y pnpm@10 release:beta ${tool}${version}${source}`);
  say(`  npx -y pnpm@10 release:promote ${tool}\n`);
}

/** Nothing where the verbs look by themselves. */
function whereFeedIs(url: string): string {
  const feed = `${url}/nuget`;
  return feed === defaultFeedUrl ? '' : `, with FEED_URL=${feed}`;
}

/** The generator with the settings of this environment, except that it works on this server. */
async function ownToolkit(invocation: Invocation, server: RunningServer, key: string | undefined) {
  const {
    BUCKET_URL: _bucket,
    PAYLOAD_URL: _payload,
    PAYLOAD_PUT: _put,
    FEED_API_KEY_FILE: _file,
    ...env
  } = invocation.env;
  // In both spellings, since programs that know both prefer one or the other.
  const direct = [env.NO_PROXY || env.no_proxy || '', new URL(server.url).host].join();
  const feed = { FEED_URL: `${server.url}/nuget`, FEED_API_KEY: key, NO_PROXY: direct, no_proxy: direct };
  const own = { ...invocation, env: { ...env, ...feed } };
  return createToolkit(own, createReport(own, {}));
}

/** Prints how to install a tool; false if it has no stable version yet. */
async function sayCommands(
  { publicUrl, services }: RunningServer,
  { tool, packageId: id = tool }: Tool,
  say: (text: string) => void,
): Promise<boolean> {
  const stable = await services.catalog.findLatest(id);
  if (stable === undefined) return false;
  const manifest = await services.bucket.readManifest('main', tool);
  const app = manifest === undefined ? undefined : tool;
  const blocks = installCommands(publicUrl, {
    id,
    kind: 'program',
    stable: { version: stable.version, app },
    beta: undefined,
  });
  const lines = blocks.flatMap(({ commands }) => commands.flatMap((command) => command.lines));
  say(`\n${id} can be installed:\n${lines.map((line) => `  ${line}`).join('\n')}\n`);
  return true;
}

/** The key of an earlier start if the server still knows it, or else a new one in a file that only its owner may read. */
async function firstKey(
  keys: Keys,
  path: string,
): Promise<{ readonly value: string; readonly path: string }> {
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim();
  const found = kept === '' ? undefined : await keys.find(kept, '127.0.0.1');
  if (found !== undefined && found.refusal === undefined) {
    return { value: kept, path };
  }
  const { key } = await keys.create({ name: 'start', scopes: ['admin'], ids: [] }, operator);
  await writeFile(path, `${key}\n`, { mode: 0o600 });
  // The mode above only applies to new files.
  await chmod(path, 0o600);
  return { value: key, path };
}
