import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fail } from '../errors/release-error.ts';
import type { Digest } from '../formats/digest.ts';
import { withTempDir } from '../formats/scoped.ts';
import { buildFlags, keepExe, keptExe, ldflags } from '../go-command/built-exe.ts';
import { openGo } from '../go-command/command.ts';
import { fetchToolchain, toolchainIn } from '../go-command/toolchain.ts';
import type { HttpAccess } from '../outbound/ask-host.ts';
import type { Cache } from '../system/cache/cache.ts';
import { type Environment, signingEnvironment } from '../system/child-environment.ts';
import type { Report } from '../system/report.ts';
import { runCommand } from '../system/run-command.ts';

export type BuildSettings = HttpAccess & {
  readonly cache: Cache;
  readonly env: Environment;
  readonly productDir: string;
  readonly report?: Pick<Report, 'warn'> & Partial<Pick<Report, 'step'>>;
  /** SIGN_COMMAND: a program and its arguments; `{file}` is the exe, which it signs in place. */
  readonly signCommand: string | undefined;
};
/** A Go program of this product, for one system. */
export type ProgramSource = {
  /** For messages: the package or the verb it belongs to, and the program. */
  readonly about: { readonly tool: string; readonly version: string };
  /** The folder of its Go module, in the product's. */
  readonly folder: string;
  readonly os: 'windows' | 'linux';
  readonly architecture: 'amd64' | 'arm64';
};
export type BuiltProgram = { readonly path: string; readonly digest: Digest };

/**
 * Builds a program in the same way as a Go payload of a release (contract section 5): the same source and the same Go make the same
 * bytes on every machine. Windows programs are signed.
 * @throws ReleaseError TOOLCHAIN_MISSING, TOOLCHAIN_UNAVAILABLE, SOURCE_UNREACHABLE without that Go; BUILD_FAILED, SIGN_FAILED
 */
export async function buildProgram(settings: BuildSettings, source: ProgramSource): Promise<BuiltProgram> {
  const unsigned = await buildOnce(settings, source);
  const { signCommand } = settings;
  return signCommand === undefined || source.os !== 'windows'
    ? unsigned
    : signOnce(signCommand, unsigned, settings);
}

/** From the cache, where it was built of the same source. */
async function buildOnce(
  settings: BuildSettings,
  { about, folder, os, architecture }: ProgramSource,
): Promise<BuiltProgram> {
  const { cache, productDir, report } = settings;
  const asking = { ...about, kind: 'go-module' } as const;
  const onWarning = (tool: string, sentence: string): void => report?.warn(tool, sentence);
  const go = await openGo({ ...settings, onWarning }, asking);
  const source = join(productDir, folder);
  const toolchain = toolchainIn(await readFile(join(source, 'go.mod'), 'utf8'), folder);
  const madeFrom = ['program', await digestFolder(source), toolchain, os, architecture, ldflags];
  const keptIn = await cache.built(JSON.stringify(madeFrom));
  const kept = await keptExe(keptIn);
  if (kept !== undefined) return kept;
  // it takes minutes where nothing was compiled before
  report?.step?.(about.tool, 'build', `for ${os} ${architecture} with go${toolchain.replace(/^go/, '')}`);
  const program = await fetchToolchain(go, toolchain, asking, () => {});
  return withTempDir(join(await cache.go('work'), 'program-'), async (dir) => {
    const path = join(dir, 'program.exe');
    const { exitCode, stderr } = await go.run({
      program,
      args: ['build', '-C', source, ...buildFlags, '-o', path, '.'],
      env: { GOTOOLCHAIN: toolchain, GOOS: os, GOARCH: architecture },
    });
    if (exitCode === 0) return keepExe(path, keptIn);
    const cause = stderr.trim().split('\n').slice(-5).join(' ');
    return fail('BUILD_FAILED', { ...asking, architecture, cause });
  });
}

/**
 * A signature may contain the time, so signing again would change the program. The signed one is kept by its unsigned bytes and the
 * command, so that every run on this machine gives the same hash. Without CACHE_DIR's `built` it is signed again.
 */
async function signOnce(
  command: string,
  unsigned: BuiltProgram,
  { cache, env, signal }: BuildSettings,
): Promise<BuiltProgram> {
  const keptIn = await cache.built(JSON.stringify(['signed', unsigned.digest.sha256, command]));
  const kept = await keptExe(keptIn);
  if (kept !== undefined) return kept;
  return withTempDir(join(await cache.go('work'), 'signed-'), async (dir) => {
    const path = join(dir, 'program.exe');
    await copyFile(unsigned.path, path);
    await sign(command, path, { env, signal, cwd: dir });
    // a run beside this one may have signed it meanwhile: there is one signature
    return (await keptExe(keptIn)) ?? keepExe(path, keptIn);
  });
}

/** Of the names and bytes of all files below a folder. */
async function digestFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const hash = createHash('sha256');
  for (const path of paths.sort()) {
    const bytes = await readFile(path);
    const name = relative(folder, path).split(sep).join('/');
    hash.update(`${Buffer.byteLength(name)} ${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

type SigningPlace = { readonly env: Environment; readonly signal: AbortSignal; readonly cwd: string };

/** @throws ReleaseError SIGN_FAILED; the command's output may contain a secret, so only its exit code is reported */
async function sign(command: string, file: string, at: SigningPlace): Promise<void> {
  const words = command.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [];
  const [program = '', ...args] = words.map((word) => word.replaceAll('{file}', file));
  if (!command.includes('{file}')) args.push(file);
  const { exitCode } = await runCommand({ program, args, ...at, env: signingEnvironment(at.env) });
  if (exitCode !== 0) fail('SIGN_FAILED', { program, exitCode });
}
