import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Forge, type ForgeRelease, startForge } from '../test/kit/forge.ts';
import {
  delveRelease,
  type Generator,
  goreleaserRelease,
  makeGenerator,
  withChecksums,
} from '../test/kit/generator.ts';
import { productDir } from '../test/kit/test-server.ts';
import { makeBigExe } from './big-exe.ts';
import { median } from './load.ts';
import type { Product } from './product.ts';
import { type Result, rateValue } from './results.ts';
import { idleRelease, releaseMemory } from './rows.ts';
import { adminKey, startFeed } from './servers.ts';
import type { Settings } from './settings.ts';

/**
 * `release:beta` of three tools from a forge on this machine: the peak memory of the first run, and the time of a run that finds
 * nothing new.
 */
export async function releaseResults(settings: Settings): Promise<Result[]> {
  const { workDir, rounds, isChosen, say } = settings;
  if (!isChosen(idleRelease.name) && !isChosen(releaseMemory.name)) return [];
  const product = await settings.product();
  const feed = await startFeed(product, join(workDir, 'data-releases'));
  const forge = await startForge();
  const machine = await makeGenerator({
    FEED_URL: `${feed.url}/nuget`,
    FEED_API_KEY: adminKey,
    GITHUB_API_URL: forge.apiUrl,
    TRUST_FILE: join(productDir, 'test', 'kit', 'trust-buf-unsigned.yaml'),
  });
  try {
    await fillForge(forge);
    const program = { product, env: machine.env };
    say('releasing three tools');
    const peakBytes = await firstRelease(program, machine);
    const bare: number[] = [];
    const verb: number[] = [];
    const idle: number[] = [];
    // Two of these take a second, so there is time for more rounds.
    for (let round = 0; isChosen(idleRelease.name) && round < 3 * rounds; round++) {
      bare.push(await runOnce(program, ['--version'], ''));
      verb.push(await runOnce(program, ['release:beta', '--help'], ''));
      idle.push(await runOnce(program, ['release:beta', 'buf', 'delve', 'goreleaser'], 'nothing to do'));
    }
    return [...idleResults(idle, verb, bare), ...memoryResults(peakBytes)].filter(({ operation }) =>
      isChosen(operation),
    );
  } finally {
    await machine.stop();
    await forge.stop();
    await feed.stop();
  }
}

/** Compared with a verb that only prints its help, and with a program that loads no verb. */
function idleResults(idle: readonly number[], verb: readonly number[], bare: readonly number[]): Result[] {
  const ratioTo = (others: readonly number[]): number =>
    median(idle.map((ms, round) => ms / (others[round] ?? Number.NaN)));
  const operation = idleRelease.name;
  const time = `${median(idle).toFixed(0)} ms`;
  const [toVerb, toBare] = [ratioTo(verb), ratioTo(bare)];
  return [
    { operation, feed: time, ratio: toVerb, against: '--help', ...rateValue(toVerb, idleRelease) },
    { operation, feed: time, ratio: toBare, against: '--version', verdict: '' },
  ];
}

function memoryResults(bytes: number | undefined): Result[] {
  // Only Linux reports it.
  if (bytes === undefined) return [];
  const ratio = bytes / releaseMemory.exeBytes;
  const size = `${Math.round(bytes / 1e6)} MB`;
  return [
    {
      operation: releaseMemory.name,
      feed: size,
      ratio,
      against: 'the exe',
      ...rateValue(ratio, releaseMemory),
    },
  ];
}

type Program = { readonly product: Product; readonly env: Generator['env'] };

async function firstRelease({ product, env }: Program, { dir }: Generator): Promise<number | undefined> {
  const args = ['release:beta', 'buf', 'delve', 'goreleaser'];
  if (process.platform !== 'linux') {
    await runOnce({ product, env }, args, 'released');
    return undefined;
  }
  const file = join(dir, 'peak');
  const hook = pathToFileURL(join(import.meta.dirname, 'peak-memory.mjs')).href;
  const watched = { ...product, args: ['--import', hook, ...product.args] };
  await runOnce({ product: watched, env: { ...env, PEAK_FILE: file } }, args, 'released');
  return Number(await readFile(file, 'utf8'));
}

/** Time from start to end, in milliseconds. @throws when the run fails or does not print the text once for each tool */
async function runOnce({ product, env }: Program, args: readonly string[], says: string): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [...product.args, ...args], {
    cwd: product.dir,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = await once(child, 'close');
  const ms = performance.now() - started;
  const count = says === '' ? 3 : stdout.split(says).length - 1;
  if (code !== 0 || count !== 3)
    throw new Error(`${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  return ms;
}

async function fillForge(forge: Forge): Promise<void> {
  forge.addRepository('bufbuild/buf', [await bigRelease()]);
  forge.addRepository('go-delve/delve', [delveRelease('1.26.3')]);
  forge.addRepository('goreleaser/goreleaser', [goreleaserRelease('2.6.0')]);
}

async function bigRelease(): Promise<ForgeRelease> {
  const bytes = await makeBigExe(releaseMemory.exeBytes, 'buf');
  const assets = withChecksums([{ name: 'buf-Windows-x86_64.exe', bytes }]);
  return {
    tag: 'v1.72.0',
    assets: assets.map((one) => (one.name === 'checksums.txt' ? { ...one, name: 'sha256.txt' } : one)),
  };
}
