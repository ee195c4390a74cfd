import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { ReleaseError } from '../../../errors/release-error.ts';
import { jsonOf } from '../../../formats/json.ts';
import type { HostRetryPolicy } from '../../../outbound/ask-host.ts';
import { type Asking, unreachable } from '../../../outbound/asking.ts';
import type { HostFailure } from '../../../outbound/silent-hosts.ts';
import { type Environment, npmEnvironment } from '../../../system/child-environment.ts';
import { runCommand } from '../../../system/run-command.ts';
import { NpmFault } from '../schema.ts';

export type NpmClientSettings = {
  /** The machine's environment, of which npm gets its own variables. */
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly platform: NodeJS.Platform;
  /** Node itself, for Windows. */
  readonly nodePath: string;
  readonly retryPolicy: HostRetryPolicy;
};

/** What npm said: JSON on stdout, or the code of its error (`E404`, `ECONNREFUSED`). */
export type NpmAnswer = { readonly stdout: string } | { readonly code: string; readonly summary: string };

/**
 * Runs the machine's own npm in `cwd`.
 * @throws ReleaseError SOURCE_UNREACHABLE when there is no npm, INTERRUPTED
 */
export async function runNpm(
  settings: NpmClientSettings,
  args: readonly string[],
  cwd: string,
  asking: Asking,
): Promise<NpmAnswer> {
  const launcher = npmLauncher(settings, asking);
  const { idleTimeoutMs, attempts } = settings.retryPolicy;
  const { exitCode, stdout, stderr } = await runCommand({
    program: launcher.program,
    // --fetch-timeout is npm's limit for a transfer without a byte
    args: [
      ...launcher.args,
      ...args,
      '--json',
      `--fetch-timeout=${idleTimeoutMs}`,
      // npm's own default, and less for verbs that only show
      `--fetch-retries=${Math.min(2, attempts - 1)}`,
      // otherwise it also asks the registry for its own newest version
      '--no-update-notifier',
      // npm waits 10 s and then 60 s by default: too long to find out that a registry is down
      '--fetch-retry-mintimeout=1000',
      '--fetch-retry-maxtimeout=5000',
    ],
    cwd,
    env: npmEnvironment(settings.env, await namedVariables(settings)),
    signal: settings.signal,
    maxOutputBytes: 64 * 1024 * 1024,
  }).catch((error: unknown) => {
    if (error instanceof ReleaseError && error.code === 'PROGRAM_MISSING') return noNpm(asking);
    throw error;
  });
  if (exitCode === 0) return { stdout: stdout.toString('utf8') };
  return faultOf(stdout.toString('utf8'), stderr);
}

/**
 * How npm is started. On Windows it is npm.cmd, which Node runs only through a shell (since CVE-2024-27980), and a shell
 * would read our arguments; so the program that npm.cmd starts is started directly.
 */
function npmLauncher(
  { platform, env, nodePath }: NpmFiles,
  asking: Asking,
): { readonly program: string; readonly args: readonly string[] } {
  if (platform !== 'win32') return { program: 'npm', args: [] };
  const path = Object.entries(env).find(([name]) => name.toUpperCase() === 'PATH')?.[1] ?? '';
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), dirname(nodePath)];
  for (const folder of folders) {
    const script = join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js');
    if (existsSync(script)) return { program: nodePath, args: [script] };
    // version managers such as Volta have a real program instead
    if (existsSync(join(folder, 'npm.exe'))) return { program: join(folder, 'npm.exe'), args: [] };
  }
  return noNpm(asking);
}

function noNpm(asking: Asking): never {
  return unreachable(asking, 'there is no npm on this machine');
}

function faultOf(stdout: string, stderr: string): NpmAnswer {
  const fault = NpmFault.safeParse(jsonOf(stdout));
  const said = /npm (?:error|ERR!) code (\S+)/.exec(stderr)?.[1];
  const code = (fault.success ? fault.data.error.code : undefined) ?? said ?? 'EUNKNOWN';
  const lastLine = stderr.trim().split('\n').at(-1) ?? '';
  const summary = (fault.success ? fault.data.error.summary : undefined) ?? lastLine;
  return { code, summary: summary.split('\n', 1)[0] ?? '' };
}

/** npm's codes for a silent host share only this sentence. */
const silentCodes =
  /^(ECONN(REFUSED|RESET)|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|FETCH_ERROR)$/;
const silence = /\brequest to (https?:\/\/\S+) failed, reason: (.+)|\bnetwork timeout at: (https?:\/\/\S+)/;

/** The silent host, if npm reports one. */
export function silentHostIn(answer: NpmAnswer): HostFailure | undefined {
  if (!('code' in answer) || !silentCodes.test(answer.code)) return undefined;
  const [, url, reason, slowUrl = ''] = silence.exec(answer.summary) ?? [];
  const asked = url ?? slowUrl;
  if (!URL.canParse(asked)) return undefined;
  return { host: new URL(asked).host, failed: reason ?? 'it does not answer in time', isSilent: true };
}

type NpmFiles = Pick<NpmClientSettings, 'env' | 'platform' | 'nodePath'>;

/**
 * The variables that npm's files name, `//npm.corp/:_authToken=${NPM_TOKEN}`: npm expands them, so it needs these and no others.
 * The files are the user's and the machine's (npm help npmrc); where npm runs there is no project file.
 */
async function namedVariables(files: NpmFiles): Promise<readonly string[]> {
  const texts = await Promise.all(configFiles(files).map((path) => readFile(path, 'utf8').catch(() => '')));
  // as npm reads them, with `?` for one that may be missing
  const named = texts.flatMap((text) => [...text.matchAll(/\$\{([^${}?\s]+)\??\}/g)]);
  return [...new Set(named.map(([, name = '']) => name))];
}

function configFiles({ env, platform, nodePath }: NpmFiles): readonly string[] {
  const get = (wanted: string): string | undefined =>
    Object.entries(env).find(([name, value]) => name.toUpperCase() === wanted && value)?.[1];
  const home = get('HOME') ?? get('USERPROFILE');
  const bin = dirname(nodePath);
  const prefixes = [
    get('NPM_CONFIG_PREFIX') ?? get('PREFIX'),
    platform === 'win32' ? bin : dirname(bin),
    platform === 'win32' && get('APPDATA') ? join(get('APPDATA') ?? '', 'npm') : undefined,
  ];
  return [
    get('NPM_CONFIG_USERCONFIG') ?? (home === undefined ? undefined : join(home, '.npmrc')),
    get('NPM_CONFIG_GLOBALCONFIG'),
    ...prefixes.map((prefix) => (prefix === undefined ? undefined : join(prefix, 'etc', 'npmrc'))),
  ].filter((path) => path !== undefined);
}
