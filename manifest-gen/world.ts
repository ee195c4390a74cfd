import { readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Got } from 'got';
import { type Environment, type GeneratorConfig, loadGeneratorConfig } from './config.ts';
import type { Report } from './report.ts';
import { createJsonReport } from './report-json.ts';
import { createLineReport } from './report-lines.ts';
import { createHttp } from './upstream/http.ts';

/** What main.ts hands to a verb: the process, seen once. */
export type Process = {
  readonly env: Environment;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Where the product's own files lie: manifest-gen/tools, nuspecs, buckets. */
  readonly productDir: string;
  readonly cwd: string;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly version: string;
};

/** All that a release may touch, built once a run. Everything else is a function of values. */
export type World = {
  readonly config: GeneratorConfig;
  /** For the programs that are run (go, npm, git); nothing else looks into it. */
  readonly env: Environment;
  readonly report: Report;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly productDir: string;
  readonly http: Got;
};

export type ReportChoice = { readonly json?: boolean; readonly quiet?: boolean };

/** @throws ReleaseError SETTINGS_INVALID */
export function createWorld(process: Process, choice: ReportChoice = {}): World {
  const config = loadGeneratorConfig({ ...process, platform: globalThis.process.platform, readText });
  const report = choice.json
    ? createJsonReport(process.stdout)
    : createLineReport(process.stdout, process.stderr, { isQuiet: choice.quiet === true });
  return {
    config,
    env: process.env,
    report,
    now: () => new Date(),
    signal: process.signal,
    productDir: process.productDir,
    http: createHttp(config, process.signal),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // absent or unreadable are the same to a key that nobody promised; config.ts says so where one was named
    return undefined;
  }
}
