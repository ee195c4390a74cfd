import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { deflateSync } from 'fflate';
import { deflateOptions } from '../formats/deflate.ts';
import { digestFile } from '../formats/digest.ts';
import { packNupkg } from '../manifest-gen/build/nupkg-writer.ts';
import { putPayload } from '../manifest-gen/publish/payload.ts';
import { pushPackage, waitForPackage } from '../manifest-gen/published/feed/client.ts';
import { createFeedHttp } from '../manifest-gen/published/feed/http.ts';
import { findEndpoints } from '../manifest-gen/published/feed/server-info.ts';
import { payloadFile } from '../manifest-gen/tool-file/payload-place.ts';
import { createHttp } from '../outbound/http.ts';
import { hasProgram } from '../test/kit/programs.ts';
import { makeRendered } from '../test/kit/rendered.ts';
import { makeBigExe } from './big-exe.ts';
import { median } from './load.ts';
import { type Result, rateValue } from './results.ts';
import { handIn } from './rows.ts';
import { adminKey, startFeed } from './servers.ts';
import type { Settings } from './settings.ts';

const run = promisify(execFile);

/**
 * How much longer one big exe takes from disk to feed (hash, pack, put the payload, push the package, find it there) than
 * `sha256sum`, the same compressor over the whole file, and `cp` take together. Measured in pairs.
 */
export async function handInResults(settings: Settings): Promise<Result[]> {
  const { workDir, rounds, isChosen, say } = settings;
  if (!isChosen(handIn.name)) return [];
  if (!hasProgram('sha256sum') || !hasProgram('cp')) {
    say(`${handIn.name}: skipped, it needs sha256sum and cp`);
    return [];
  }
  const feed = await startFeed(await settings.product(), join(workDir, 'data-hand-in'));
  const dir = join(workDir, 'hand-in');
  await mkdir(dir);
  try {
    const samples: { own: number; pinned: number; zlib: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const path = join(dir, 'big.exe');
      await writeFile(path, await makeBigExe(handIn.sizeBytes, String(round)));
      const copied = await timed(() => run('cp', [path, join(dir, 'copy.exe')]));
      const hashed = await timed(() => run('sha256sum', [path]));
      const deflated = await timed(async () => deflateSync(await readFile(path), deflateOptions));
      const zlib = await timed(async () => deflateRawSync(await readFile(path), { level: 6 }));
      const own = await timed(() => handOver(path, `1.2.${round}`, dir, feed.url));
      samples.push({ own, pinned: copied + hashed + deflated, zlib: copied + hashed + zlib });
      say(`${handIn.name}: ${own.toFixed(0)} ms, the parts ${(copied + hashed + deflated).toFixed(0)} ms`);
    }
    const operation = handIn.name;
    const time = `${median(samples.map(({ own }) => own)).toFixed(0)} ms`;
    const pinned = median(samples.map((sample) => sample.own / sample.pinned));
    const zlib = median(samples.map((sample) => sample.own / sample.zlib));
    return [
      { operation, feed: time, ratio: pinned, against: 'parts', ...rateValue(pinned, handIn) },
      { operation, feed: time, ratio: zlib, against: 'by zlib', verdict: '' },
    ];
  } finally {
    await feed.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** The same steps as in a release. */
async function handOver(path: string, version: string, dir: string, feedUrl: string): Promise<void> {
  const { signal } = new AbortController();
  const http = createFeedHttp(
    createHttp({ userAgent: 'go-win-tools/bench' }),
    `${feedUrl}/nuget`,
    adminKey,
    signal,
  );
  const places = await findEndpoints(http, {
    bucketUrl: undefined,
    payloadUrl: undefined,
    isPayloadPut: true,
  });
  const digest = await digestFile(path);
  const asset = { architecture: 'amd64', name: 'big.exe', path, digest } as const;
  const rendered = {
    ...(await makeRendered(version)),
    exes: [{ asset, architecture: 'amd64', path, digest }] as const,
  };
  const nupkg = await packNupkg(rendered, dir);
  const { tool } = rendered;
  const file = payloadFile(tool, 'amd64');
  const nothing = (): void => undefined;
  await putPayload(http, places, { tool, version, file, path, digest }, nothing);
  await pushPackage(http, { id: tool.tool, version, ...nupkg }, nothing);
  await waitForPackage(http, tool.tool, version, signal);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
