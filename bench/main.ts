/**
 * How fast the feed answers, as ratios against references in the same run: absolute numbers of a shared machine mean little.
 *
 *   bare     a node:http server that answers equally many bytes from memory
 *   express  an Express app with one handler and no middleware that does the same
 *   peer     express-chocolatey-server with the same packages
 *
 * `pnpm bench [ROW ...] [--versions N] [--seconds N] [--json FILE]`
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { measure, median, type Sample } from './load.ts';
import { makePackages } from './packages.ts';
import { rows } from './rows.ts';
import { startFeed, startPeer, startReference } from './servers.ts';
import { makeWorkDir, removeWorkDir } from './work-dir.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    versions: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const versionCount = Number(values.versions);
const seconds = Number(values.seconds);
const chosen = rows.filter((row) => positionals.length === 0 || positionals.includes(row.name));
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const workDir = await makeWorkDir();
const servers: { stop(): Promise<void> }[] = [];
try {
  say(`making ${versionCount} versions`);
  const packages = await makePackages(workDir, versionCount);
  const feed = await startFeed(workDir);
  servers.push(feed);
  say('publishing them');
  const publishSeconds = await feed.publish(packages);
  say(`published ${Math.round(versionCount / publishSeconds)} a second over 8 connections, each durable`);
  const [bare, express, peer] = await Promise.all([
    startReference('bare'),
    startReference('express'),
    startPeer(packages),
  ]);
  servers.push(bare, express, peer);

  const results = [];
  for (const row of chosen) {
    const paths = row.paths(packages);
    const bytes = await feed.averageBytes(paths);
    const rivals: { name: string; url: string; paths: readonly string[] }[] = [
      { name: 'feed', url: feed.url, paths },
      { name: 'bare', url: bare.url, paths: [`/${bytes}`] },
      { name: 'express', url: express.url, paths: [`/${bytes}`] },
      ...(row.peerPaths === undefined
        ? []
        : [{ name: 'peer', url: peer.url, paths: row.peerPaths(packages) }]),
    ];
    const samples = new Map<string, Sample[]>(rivals.map(({ name }) => [name, []]));
    // In turn, round by round: when the machine's speed drifts, it drifts for all of them.
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const rival of rivals) {
        samples.get(rival.name)?.push(await measure(rival.url, rival.paths, seconds));
      }
    }
    const rate = (name: string): number =>
      median((samples.get(name) ?? []).map((sample) => sample.perSecond));
    const errors = [...samples.values()].flat().reduce((sum, sample) => sum + sample.errors, 0);
    const ratio = (name: string): number | undefined =>
      samples.has(name) ? rate('feed') / rate(name) : undefined;
    const result = {
      row: row.name,
      bytes,
      feedPerSecond: Math.round(rate('feed')),
      toBare: ratio('bare'),
      toExpress: ratio('express'),
      toPeer: ratio('peer'),
      errors,
    };
    results.push(result);
    say(`${row.name}: ${result.feedPerSecond}/s`);
  }
  const memory = await feed.residentBytes();
  say(table(results));
  say(
    `resident memory of the feed after load: ${memory === undefined ? 'unknown here' : `${Math.round(memory / 1e6)} MB`}`,
  );
  if (values.json !== undefined) {
    await writeFile(
      values.json,
      `${JSON.stringify({ versions: versionCount, results, residentBytes: memory }, null, 2)}\n`,
    );
  }
  process.exitCode = results.some((result) => result.errors > 0) ? 1 : 0;
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  await removeWorkDir(workDir);
}

function table(
  results: readonly {
    row: string;
    bytes: number;
    toBare?: number | undefined;
    toExpress?: number | undefined;
    toPeer?: number | undefined;
    errors: number;
  }[],
): string {
  const cell = (value: number | undefined): string =>
    (value === undefined ? '-' : value.toFixed(2)).padStart(10);
  const head = `${'operation'.padEnd(28)}${'bytes'.padStart(8)}${'to bare'.padStart(10)}${'to express'.padStart(12)}${'to peer'.padStart(10)}`;
  const lines = results.map(
    (result) =>
      `${result.row.padEnd(28)}${String(result.bytes).padStart(8)}${cell(result.toBare)}  ${cell(result.toExpress)}${cell(result.toPeer)}${result.errors > 0 ? `  ${result.errors} ERRORS` : ''}`,
  );
  return ['', head, ...lines, ''].join('\n');
}
