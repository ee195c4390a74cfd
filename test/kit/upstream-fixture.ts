import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpstreamSettings } from '../../manifest-gen/sources/upstreams.ts';
import { Tool } from '../../manifest-gen/tool-file/tools.ts';
import { type HttpAccess, retryPolicy } from '../../outbound/ask-host.ts';
import { createHttp } from '../../outbound/http.ts';
import { createSilentHosts } from '../../outbound/silent-hosts.ts';
import { createCache } from '../../system/cache/cache.ts';
import type { Report } from '../../system/report.ts';
import { shareGoBuilds } from './go-builds.ts';
import { hasProgram, mustRun } from './programs.ts';

/** Where nothing listens: the discard port of this machine. */
export const nowhere = 'http://127.0.0.1:9';

export type UpstreamFixture = {
  readonly settings: UpstreamSettings;
  readonly controller: AbortController;
  /** What was reported, `step build ...`. */
  readonly said: string[];
  readonly report: Report;
  stop(): Promise<void>;
};

/** For asking hosts, impatiently. */
export function makeAccess(signal = new AbortController().signal): HttpAccess {
  return {
    http: createHttp({ userAgent: 'go-win-tools/test' }),
    retryPolicy: { ...retryPolicy, attempts: 3, firstDelayMs: 5, maxPauseMs: 2_000 },
    silentHosts: createSilentHosts(),
    signal,
  };
}

/** A generator's surroundings in a folder of its own, and impatient. */
export async function makeUpstreamFixture(
  given: { readonly env?: Readonly<Record<string, string>> } & Partial<UpstreamSettings> = {},
): Promise<UpstreamFixture> {
  const rootDir = await mkdtemp(join(tmpdir(), 'upstream-fixture-'));
  await shareGoBuilds(rootDir);
  const controller = new AbortController();
  const said: string[] = [];
  const settings: UpstreamSettings = {
    ...makeAccess(controller.signal),
    apiUrl: nowhere,
    token: undefined,
    now: () => new Date(),
    onPause: (tool, why, leftMs) => said.push(`pause ${tool} ${why} ${leftMs}`),
    onWarning: (tool, sentence) => said.push(`warning ${tool} ${sentence}`),
    cache: createCache(rootDir),
    platform: process.platform,
    nodePath: process.execPath,
    ...given,
    env: { ...process.env, ...given.env },
  };
  return {
    settings,
    controller,
    said,
    report: {
      step: (_, step, detail = '') => said.push(`step ${step} ${detail}`),
      progress: () => {},
      waiting: () => {},
      output: (_, line) => said.push(line),
      warn: (_, sentence) => said.push(sentence),
    },
    stop: async () => {
      // Go makes its module cache read-only
      if (hasProgram('go')) {
        await mustRun('go', ['clean', '-modcache'], { env: { GOMODCACHE: join(rootDir, 'go', 'mod') } });
      }
      await rm(rootDir, { recursive: true, force: true });
    },
  };
}

/** The tool `hello` with the sources given. */
export function makeTool(given: Record<string, unknown>): Tool {
  return Tool.parse({
    tool: 'hello',
    command: 'hello',
    first: '1.0.0',
    module: [{ path: 'example.test/hello' }],
    trust: { require: [] },
    ...given,
  });
}

/** Code and exit code of a ReleaseError; fails when none is thrown. */
export async function failureOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await promise.then(
    (value) => {
      throw new Error(`no error but ${JSON.stringify(value)}`);
    },
    (thrown: unknown) => thrown as { code: string; exitCode: number; message: string; details: object },
  );
  return { code: error.code, exitCode: error.exitCode, message: error.message };
}
