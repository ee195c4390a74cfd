import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import AdmZip from 'adm-zip';
import type { Command } from 'commander';
import { createCommand as createDevboxCheck } from '../../devbox/check-command.ts';
import { createCommand as createDevbox } from '../../devbox/create-command.ts';
import type { Invocation } from '../../invocation.ts';
import { createCommand as createBeta } from '../../manifest-gen/verbs/beta.ts';
import { createCommand as createBundle } from '../../manifest-gen/verbs/bundle.ts';
import { createCommand as createCacheClean } from '../../manifest-gen/verbs/cache-clean.ts';
import { createCommand as createCheck } from '../../manifest-gen/verbs/check.ts';
import { createCommand as createPromote } from '../../manifest-gen/verbs/promote.ts';
import { createCommand as createRebase } from '../../manifest-gen/verbs/rebase.ts';
import { createCommand as createRollout } from '../../manifest-gen/verbs/rollout/command.ts';
import { createCommand as createStatus } from '../../manifest-gen/verbs/status.ts';
import { createCommand as createVerify } from '../../manifest-gen/verbs/verify.ts';
import { createCommand as createWithdraw } from '../../manifest-gen/verbs/withdraw.ts';
import { quickRetryPolicy, retryPolicy } from '../../outbound/ask-host.ts';
import { type Module, makeTinyExe, type TinyExe } from './exe.ts';
import type { ForgeRelease } from './forge.ts';
import type { ForgeAsset } from './forge-store.ts';
import { shareGoBuilds } from './go-builds.ts';
import { mainJs } from './main-js.ts';
import { makeTempDir, productDir } from './test-server.ts';
import { nowhere } from './upstream-fixture.ts';

const verbs: Readonly<Record<string, (invocation: Invocation) => Command>> = {
  'release:beta': createBeta,
  'release:promote': createPromote,
  'release:rollout': createRollout,
  'release:withdraw': createWithdraw,
  'release:status': createStatus,
  'release:verify': createVerify,
  'release:check': createCheck,
  'bucket:rebase': createRebase,
  'bundle:create': createBundle,
  'cache:clean': createCacheClean,
  'devbox:create': createDevbox,
  'devbox:check': createDevboxCheck,
};

// Verbs in this process ask a host as often as ever, but pause for milliseconds: nothing that fails here is going to recover in seconds.
for (const policy of [retryPolicy, quickRetryPolicy]) Object.assign(policy, { firstDelayMs: 5 });

export type VerbResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };
export type Generator = {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs a verb in this process, as main.ts does. */
  run(verb: string, args: readonly string[], more?: RunMore): Promise<VerbResult>;
  /** Starts the real program, so that it can be killed. */
  spawn(verb: string, args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  stop(): Promise<void>;
};
type RunMore = { readonly env?: Readonly<Record<string, string>>; readonly signal?: AbortSignal };

/** A machine that releases: a cache and a home of its own, settings as given, no source reachable unless one is given. */
export async function makeGenerator(settings: Readonly<Record<string, string>>): Promise<Generator> {
  const dir = await makeTempDir();
  const env = {
    PATH: process.env.PATH,
    SYSTEMROOT: process.env.SYSTEMROOT,
    HOME: dir,
    USERPROFILE: dir,
    CACHE_DIR: join(dir, 'cache'),
    GITHUB_API_URL: nowhere,
    GOPROXY: nowhere,
    GOSUMDB: 'off',
    GOFLAGS: '-modcacherw',
    ...settings,
  };
  if (settings.CACHE_DIR === undefined) await shareGoBuilds(env.CACHE_DIR);
  return {
    dir,
    env,
    async run(verb, args, { env: more = {}, signal = new AbortController().signal } = {}) {
      const stdout = collect();
      const stderr = collect();
      const command = verbs[verb]!({
        env: { ...env, ...more },
        stdout,
        stderr,
        productDir,
        cwd: dir,
        signal,
        version: '0.0.0-test',
      });
      const exitCode = await command
        .name(verb)
        .exitOverride()
        .parseAsync([...args], { from: 'user' })
        .then(
          () => 0,
          (error: Error & { exitCode?: number; code?: string }) => {
            if (error.code?.startsWith('commander.')) return error.exitCode === 0 ? 0 : 2;
            if (error.exitCode === undefined) throw error;
            stderr.write(`${error.message}\n`);
            return error.exitCode;
          },
        );
      return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
    },
    spawn: (verb, args, more = {}) =>
      spawn(process.execPath, [mainJs, verb, ...args], {
        cwd: productDir,
        env: { ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    // Go makes its module cache read-only
    stop: () => rm(dir, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** A release of delve as its forge shows it: zips with tiny exes that do not run, and their checksum file. */
export function delveRelease(
  version: string,
  {
    filler = '',
    isSilent = false,
    dependencies = {},
  }: {
    readonly filler?: string;
    /** Without build info. */
    readonly isSilent?: boolean;
    /** Instead of `example.test/dep`, for an architecture. */
    readonly dependencies?: Readonly<Partial<Record<'amd64' | 'arm64', Module>>>;
  } = {},
): ForgeRelease {
  const assets = (['amd64', 'arm64'] as const).map((architecture) => {
    const zip = new AdmZip();
    const module = { path: 'github.com/go-delve/delve', version: `v${version}` };
    zip.addFile(
      'dlv.exe',
      makeTinyExe({
        architecture,
        filler,
        ...(isSilent ? {} : { module, ...exeParts(dependencies[architecture]) }),
      }),
    );
    zip.addFile('LICENSE', Buffer.from('The MIT License (MIT)\n'));
    return { name: `dlv_${version}_windows_${architecture}.zip`, bytes: zip.toBuffer() };
  });
  return { tag: `v${version}`, assets: withChecksums(assets) };
}

function exeParts(dependency: Module | undefined): Pick<TinyExe, 'dependencies'> {
  return dependency === undefined ? {} : { dependencies: [dependency] };
}

/** A release of goreleaser, the same way. */
export function goreleaserRelease(version: string): ForgeRelease {
  const assets = (['amd64', 'arm64'] as const).map((architecture) => {
    const zip = new AdmZip();
    const path = `github.com/goreleaser/goreleaser${version.startsWith('1.') ? '' : '/v2'}`;
    const module = { path, version: `v${version}` };
    zip.addFile('goreleaser.exe', makeTinyExe({ architecture, module }));
    return {
      name: `goreleaser_Windows_${architecture === 'amd64' ? 'x86_64' : 'arm64'}.zip`,
      bytes: zip.toBuffer(),
    };
  });
  return { tag: `v${version}`, assets: withChecksums(assets) };
}

export function withChecksums(assets: readonly ForgeAsset[]): readonly ForgeAsset[] {
  const lines = assets.map(
    ({ name, bytes }) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`,
  );
  return [...assets, { name: 'checksums.txt', bytes: Buffer.from(lines.join('')) }];
}

function collect(): Writable & { text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString('utf8') });
}
