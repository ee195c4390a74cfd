import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient } from '../kit/git.ts';
import { type ServeProcess, startServe } from '../kit/serve-process.ts';
import { keepChanging } from '../kit/soak/changes.ts';
import { createHistory } from '../kit/soak/history.ts';
import { keepReading, wrongCounts } from '../kit/soak/reads.ts';
import { idsOf, type Soak } from '../kit/soak/soak.ts';
import { adminKey, makeTempDir } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';

useDisk();

/** Ten minutes by SOAK_SECONDS=600 (CONTRIBUTING.md). */
const seconds = Number(process.env.SOAK_SECONDS ?? 30);
const ids = 60;
const writers = 3;
const changeEveryMs = 300;
const readers = 6;
const readEveryMs = 10;
const gitEveryMs = 1000;
/** Downloads are written after 5 s; an answer that shows them may be 20 s old by then. */
const countsShownMs = 60_000;
/** Of the process, whatever the length. */
const maxMegabytes = 256;
/** Shorter runs end before all caches are full. */
const flatFromSeconds = 300;

describe('a feed in use', () => {
  let dir: string;
  let server: ServeProcess;
  beforeAll(async () => {
    dir = await makeTempDir();
    server = await startServe({ DATA_DIR: join(dir, 'data'), ADMIN_API_KEY: adminKey });
  });
  afterAll(async () => {
    await server?.end('SIGTERM');
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  });

  it('answers every question by what the catalog holds, and needs no more memory with time', {
    timeout: (seconds + 180) * 1000,
  }, async () => {
    const wrong: string[] = [];
    const end = performance.now() + seconds * 1000;
    const soak: Soak = {
      url: server.url,
      histories: idsOf(ids).map(createHistory),
      digests: new Map(),
      downloads: new Map(),
      isOver: () => wrong.length > 0 || performance.now() > end,
      report: (text) => wrong.push(text),
    };
    const use: Use[] = [];
    await Promise.all([
      ...Array.from({ length: writers }, (_, writer) =>
        keepChanging(
          soak,
          soak.histories.filter((_, n) => n % writers === writer),
          changeEveryMs,
        ),
      ),
      ...Array.from({ length: readers }, (_, reader) => keepReading(soak, reader, readEveryMs)),
      keepCloning(soak),
      keepMeasuring(soak, use),
    ]);

    expect(wrong).toEqual([]);
    expect(soak.downloads.size).toBeGreaterThan(0);
    const megabytes = use.map((one) => one.megabytes);
    say(use);
    expect(Math.max(...megabytes)).toBeLessThan(maxMegabytes);
    if (seconds >= flatFromSeconds) {
      const quarter = Math.floor(megabytes.length / 4);
      const [second, last] = [megabytes.slice(quarter, 2 * quarter), megabytes.slice(-quarter)].map(median);
      expect(last).toBeLessThan((second ?? 0) * 1.1);
    }
    const countsMustShow = performance.now() + countsShownMs;
    let wrongNow = await wrongCounts(soak);
    while (wrongNow.length > 0 && performance.now() < countsMustShow) {
      await sleep(1000);
      wrongNow = await wrongCounts(soak);
    }
    expect(wrongNow).toEqual([]);
  });

  async function keepCloning({ url, isOver, report }: Soak): Promise<void> {
    const git = await createGitClient(dir);
    let first: string | undefined;
    for (let turn = 0; !isOver(); turn += 1) {
      const clone = await git.clone(`${url}/git/main/go-win-tools.git`, `clone-${turn}`);
      const tree = await git.run(clone, 'rev-parse', 'HEAD^{tree}');
      first ??= tree;
      if (tree !== first) report(`git clone: ${tree}, not ${first}`);
      await rm(clone, { recursive: true, force: true, maxRetries: 3 });
      await sleep(gitEveryMs);
    }
  }

  async function keepMeasuring({ url, isOver }: Soak, use: Use[]): Promise<void> {
    while (!isOver()) {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const metric = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(metrics)?.[1]);
      use.push({
        megabytes: metric('process_resident_memory_bytes') / 1e6,
        stopMs: metric('nodejs_eventloop_lag_max_seconds') * 1000,
      });
      await sleep(1000);
    }
  }
});

/** The memory of the server, and the longest that its event loop stood still since this was measured last. */
type Use = { readonly megabytes: number; readonly stopMs: number };

/** For whoever runs the long form. */
function say(use: readonly Use[]): void {
  const most = Math.max(...use.map(({ megabytes }) => megabytes));
  const longest = Math.max(...use.map(({ stopMs }) => stopMs));
  process.stdout.write(`at most ${most.toFixed(0)} MB, longest stop ${longest.toFixed(0)} ms\n`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
