import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestFile } from '../formats/digest.ts';
import { fail } from '../manifest-gen/errors.ts';
import { keepExe, keptExe, ldflags } from '../manifest-gen/sources/go-module/build.ts';
import { openGo } from '../manifest-gen/sources/go-module/command.ts';
import { fetchToolchain } from '../manifest-gen/sources/go-module/toolchain.ts';
import type { HttpAccess } from '../manifest-gen/sources/http/ask-host.ts';
import type { Cache } from '../manifest-gen/system/cache/cache.ts';
import { type Environment, signingEnvironment } from '../manifest-gen/system/child-environment.ts';
import type { Report } from '../manifest-gen/system/report.ts';
import { runCommand } from '../manifest-gen/system/run-command.ts';

const architecture = 'amd64';

export type LauncherSettings = HttpAccess & {
  readonly cache: Cache;
  readonly env: Environment;
  readonly productDir: string;
  readonly report?: Pick<Report, 'warn'>;
  /** SIGN_COMMAND: a program and its arguments; `{file}` is the exe, which it signs in place. */
  readonly signCommand: string | undefined;
};
export type Launcher = { readonly path: string; readonly digest: Digest; remove(): Promise<void> };

/**
 * Builds NAME.exe, one binary for all tools, in the same way as a Go payload of a release (contract section 5), and has it
 * signed.
 * @throws ReleaseError TOOLCHAIN_MISSING, TOOLCHAIN_UNAVAILABLE, SOURCE_UNREACHABLE without that Go; BUILD_FAILED, SIGN_FAILED
 */
export async function buildLauncher(settings: LauncherSettings): Promise<Launcher> {
  const { cache, env, signal, productDir, signCommand, report } = settings;
  const asking = { tool: 'shims', version: 'launcher', kind: 'go-module' } as const;
  const onWarning = (tool: string, sentence: string): void => report?.warn(tool, sentence);
  const go = await openGo({ ...settings, onWarning }, asking);
  const source = join(productDir, 'shims', 'launcher');
  const toolchain = toolchainOf(await readFile(join(source, 'go.mod'), 'utf8'));
  const program = await fetchToolchain(go, toolchain, asking, () => {});
  const dir = await mkdtemp(join(await cache.go('work'), 'launcher-'));
  const path = join(dir, 'launcher.exe');
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    const flags = ['-trimpath', '-buildvcs=false', '-ldflags', ldflags, '-o', path];
    const { exitCode, stderr } = await go.run({
      program,
      args: ['build', '-C', source, ...flags, '.'],
      env: { GOTOOLCHAIN: toolchain, GOOS: 'windows', GOARCH: architecture },
    });
    if (exitCode !== 0) {
      fail('BUILD_FAILED', { ...asking, architecture, cause: stderr.trim().split('\n').slice(-5).join(' ') });
    }
    const unsigned = { path, digest: await digestFile(path) };
    const at = { env, signal, cwd: dir };
    const { path: made, digest } =
      signCommand === undefined ? unsigned : await signOnce(signCommand, unsigned, cache, at);
    return { path: made, digest, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** go.mod names it in full: the same source and the same Go make the same bytes on every machine (decision 21). */
function toolchainOf(goMod: string): string {
  const [, toolchain] = /^toolchain (go\d+\.\d+\.\d+)$/m.exec(goMod) ?? [];
  if (toolchain === undefined) throw new Error('shims/launcher/go.mod names no toolchain');
  return toolchain;
}

/**
 * A signature may contain the time, so signing again would change the launcher. The signed one is cached by source and command,
 * so that every run on this machine gives the same hash. Without CACHE_DIR's `built` it is signed again.
 */
async function signOnce(
  command: string,
  unsigned: { readonly path: string; readonly digest: Digest },
  cache: Cache,
  at: SigningPlace,
): Promise<{ readonly path: string; readonly digest: Digest }> {
  const folder = await cache.built(JSON.stringify(['launcher', unsigned.digest.sha256, command]));
  const kept = await keptExe(folder);
  if (kept !== undefined) return kept;
  await sign(command, unsigned.path, at);
  return keepExe(unsigned.path, folder);
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

/** A copy under another name is the same program for a virus scanner. */
export function copyLauncher({ path }: Launcher, to: string): Promise<void> {
  return copyFile(path, to);
}
