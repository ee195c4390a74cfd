import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { fail, ReleaseError } from '../errors/release-error.ts';
import { hideCredentials } from '../formats/hide-credentials.ts';
import { makeWhole } from '../formats/whole-file.ts';
import type { HttpAccess } from '../outbound/ask-host.ts';
import { type Asking, hostUnreachable } from '../outbound/asking.ts';
import { isHostFailure } from '../outbound/silent-hosts.ts';
import type { Cache } from '../system/cache/cache.ts';
import { type Environment, goEnvironment, livingEnvironment } from '../system/child-environment.ts';
import { type CommandResult, runCommand } from '../system/run-command.ts';
import { askProxy } from './ask-proxy.ts';
import { compilerMemory } from './compiler-memory.ts';
import { type CorruptModule, corruptModules, forgetModule } from './module-cache.ts';

export type GoSettings = HttpAccess & {
  readonly cache: Cache;
  readonly env: Environment;
  /** Called with what is fetched again because the module cache had other bytes. */
  readonly onWarning?: (tool: string, sentence: string) => void;
};

/** Even asking for settings fails where the user's own are of another Go. */
const neutral = { GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '', GOEXPERIMENT: '' };

/** The machine's Go settings that we use: where modules come from and who vouches for them (contract section 4). */
const MachineGo = z.object({
  GOVERSION: z.string(),
  GOPROXY: z.string(),
  GONOPROXY: z.string(),
  GOSUMDB: z.string(),
  GONOSUMDB: z.string(),
  GOPRIVATE: z.string(),
});
export type MachineGo = z.infer<typeof MachineGo>;

export type GoCall = {
  readonly args: readonly string[];
  /** Else a folder with an empty module. */
  readonly cwd?: string;
  /** Another program than `go` on the PATH, and variables besides the fixed ones. */
  readonly program?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onLine?: (line: string) => void;
};

export type Go = Awaited<ReturnType<typeof openGo>>;

/**
 * The machine's Go under a fixed environment: its own GOPATH and caches, and nothing from the user's settings that can
 * change bytes.
 * @throws ReleaseError TOOLCHAIN_MISSING without Go 1.21, which is the first that can fetch other toolchains
 */
export async function openGo(settings: GoSettings, asking: Asking) {
  const { cache, env, signal } = settings;
  const living = livingEnvironment(env);
  const emptyDir = await cache.go('empty');
  // a go.mod of our own, so that CACHE_DIR may lie in somebody's module without theirs being read or its go.sum written
  await makeWhole(join(emptyDir, 'go.mod'), (part) => writeFile(part, 'module empty\n'));
  const machine = await readMachine({ ...goEnvironment(env), ...neutral }, emptyDir, signal, asking);
  // where modules come from is each call's own
  const { GOVERSION: _version, GOPROXY: _proxies, ...vouching } = machine;
  const fixed = {
    ...living,
    ...(await extraAuthorities(cache, env)),
    GOPATH: await cache.go('work'),
    GOMODCACHE: await cache.go('mod'),
    GOCACHE: await cache.go('build'),
    ...vouching,
    ...neutral,
    GOENV: 'off',
    GOAMD64: 'v1',
    GOARM64: 'v8.0',
    CGO_ENABLED: '0',
    ...compilerMemory(),
    GIT_TERMINAL_PROMPT: '0',
  };
  const modDir = fixed.GOMODCACHE;
  const runOnce = async (call: GoCall, GOPROXY: string, end: AbortSignal) => {
    const { args, program = 'go', cwd = emptyDir, env: more, onLine } = call;
    const result = await runCommand({
      program,
      args,
      cwd,
      env: { ...fixed, GOPROXY, ...more },
      signal: end,
      ...(onLine === undefined ? {} : { onLine: (line) => onLine(hideCredentials(line)) }),
    });
    return { ...result, stderr: hideCredentials(result.stderr) };
  };
  /**
   * Removes modules from the cache, so that Go fetches them again.
   * @returns false when there was nothing to remove
   */
  const forget = async (modules: readonly CorruptModule[]): Promise<boolean> => {
    let isAny = false;
    for (const module of modules) {
      if (!(await forgetModule(modDir, module))) continue;
      isAny = true;
      const sentence = `${module.path}@${module.version} in the Go module cache differs from what was checked; it is fetched and checked again`;
      settings.onWarning?.(asking.tool, sentence);
    }
    return isAny;
  };
  const runHealing = async (...call: Parameters<typeof runOnce>): Promise<CommandResult> => {
    const tried = new Set<string>();
    for (;;) {
      const result = await runOnce(...call);
      if (result.exitCode === 0) return result;
      const corrupt = corruptModules(`${result.stdout}\n${result.stderr}`);
      const untried = corrupt.filter(({ path, version }) => !tried.has(`${path}@${version}`));
      if (!(await forget(untried))) return result;
      for (const { path, version } of untried) tried.add(`${path}@${version}`);
    }
  };
  return {
    machine,
    /** GOMODCACHE */
    modDir,
    forget,
    /**
     * Exit codes are values. What it says on stderr names no password that a GOPROXY may have. Modules that are damaged in the
     * cache are fetched again, once; then Go's answer counts.
     * @throws ReleaseError INTERRUPTED, PROGRAM_FAILED, SOURCE_UNREACHABLE when nobody answers at the module proxy
     */
    async run(call: GoCall): Promise<CommandResult> {
      const isFetching = /^(list|mod download|env)\b/.test(call.args.join(' '));
      const answer = await askProxy(settings, machine, isFetching, (proxies, end) =>
        runHealing(call, proxies, end),
      );
      return isHostFailure(answer) ? hostUnreachable(asking, answer) : answer;
    },
  };
}

/**
 * NODE_EXTRA_CA_CERTS for Go as well, besides what the machine trusts: Go reads every file in SSL_CERT_DIR, and its own folders only
 * where that is not set (crypto/x509). On Windows and macOS it asks the system alone.
 */
async function extraAuthorities(cache: Cache, env: Environment): Promise<Environment> {
  const file = env.NODE_EXTRA_CA_CERTS;
  const text = file ? await readFile(resolve(file)).catch(() => undefined) : undefined;
  // Node itself warns of a file that it cannot read
  if (text === undefined) return {};
  const dir = await cache.go('ca');
  await makeWhole(join(dir, 'extra.pem'), (part) => writeFile(part, text));
  const dirs = env.SSL_CERT_DIR || '/etc/ssl/certs:/etc/pki/tls/certs';
  return { SSL_CERT_DIR: `${dirs}:${dir}` };
}

async function readMachine(
  env: Environment,
  cwd: string,
  signal: AbortSignal,
  asking: Asking,
): Promise<MachineGo> {
  const args = ['env', '-json', ...Object.keys(MachineGo.shape)];
  const result = await runCommand({ program: 'go', args, cwd, env, signal }).catch((error: unknown) => {
    if (error instanceof ReleaseError && error.code === 'PROGRAM_MISSING') return missing(asking, error);
    throw error;
  });
  const { exitCode, stderr } = result;
  if (exitCode !== 0) return fail('PROGRAM_FAILED', { program: 'go env', exitCode, cause: stderr.trim() });
  const machine = MachineGo.parse(JSON.parse(result.stdout.toString('utf8')));
  const minor = Number(
    /^go1\.(\d+)/.exec(machine.GOVERSION)?.[1] ?? (machine.GOVERSION.startsWith('devel') ? 99 : 0),
  );
  return minor < 21 ? missing(asking) : machine;
}

function missing({ tool, version }: Asking, cause?: unknown): never {
  return fail('TOOLCHAIN_MISSING', { tool, version }, cause);
}

/** Whether the checksum database vouches for a module: not when it is off, not for modules that are private. */
export function isSumChecked({ GOSUMDB, GONOSUMDB }: MachineGo, modulePath: string): boolean {
  if (GOSUMDB === 'off') return false;
  return !GONOSUMDB.split(',').some((glob) => glob !== '' && hasPrefixLike(glob, modulePath));
}

/** Go's module.MatchPrefixPatterns: the pattern is compared with as many path elements as it has itself. */
function hasPrefixLike(glob: string, modulePath: string): boolean {
  const parts = glob.replace(/\/+$/, '').split('/');
  const elements = modulePath.split('/').slice(0, parts.length);
  const isLike = (part: string, at: number): boolean => globOf(part).test(elements[at] ?? '');
  return elements.length === parts.length && parts.every(isLike);
}

function globOf(part: string): RegExp {
  const source = part
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}
