import { digestBytes } from '../../formats/digest.ts';
import { printScoopManifest } from '../../formats/scoop-manifest.ts';
import { createSqlClients } from '../../server/clients/sql-clients.ts';
import { openDataDir } from '../../server/data-dir.ts';
import { openDatabase } from '../../server/database/connection.ts';
import { contest } from '../contest.ts';
import { measure, measureFirst } from '../load.ts';
import { makeNupkg } from '../packages.ts';
import { type Result, rateRatio, rateValue } from '../results.ts';
import { clients, findById, oneOfEach } from '../rows.ts';
import { adminKey } from '../servers.ts';
import type { Settings } from '../settings.ts';
import { type InUse, withOneFeed } from './feed.ts';

/** Half of the machines are in each of two rollouts, so that they see four different feeds. */
const plan = { steps: [{ percent: 50, hold: '1d' }] };

/** What a fleet costs, in rate and memory, beside machines that all use the plain address. */
export async function clientResults(stand: InUse, { seconds, rounds }: Settings): Promise<Result[]> {
  const machines = Array.from({ length: clients.count }, (_, at) => `pc-${at}`);
  const tools = oneOfEach(stand.packages)
    .slice(0, clients.tools)
    .map(({ id }) => id);
  const plain = tools.map((id) => findById('/nuget', id));
  const own = machines.map((machine, at) => findById(`/nuget/c/${machine}`, tools[at % tools.length] ?? ''));

  const without = await withOneFeed(stand, async (feed) => {
    await measureFirst(feed.url, Array<string>(clients.count).fill(plain[0] ?? ''));
    for (let round = 0; round < rounds; round++) await measure(feed.url, plain, seconds, round);
    return feed.residentBytes();
  });
  await remember(stand.dataDir, machines);
  const started = await withOneFeed(stand, async (feed) => {
    for (const tool of tools.slice(0, 2)) await startRollout(feed.url, tool);
    // The first request of a machine admits it.
    return measureFirst(feed.url, own);
  });
  const fleet = await withOneFeed(stand, async (feed) => {
    await measureFirst(feed.url, own);
    for (let round = 0; round < rounds; round++) await measure(feed.url, own, seconds, round);
    const bytes = await feed.residentBytes();
    const outcome = await contest(
      [
        { name: 'clients', run: (round) => measure(feed.url, own, seconds, round) },
        { name: 'plain', run: (round) => measure(feed.url, plain, seconds, round) },
      ],
      rounds,
    );
    return { bytes, outcome };
  });
  const rate = fleet.outcome.perSecond('clients') ?? 0;
  const ratio = rate / (fleet.outcome.perSecond('plain') ?? 0);
  const row: Result = {
    operation: clients.name,
    feed: `${Math.round(rate)}/s`,
    ratio,
    against: 'plain',
    errors: fleet.outcome.errors + started.errors,
    ...rateRatio(ratio, clients),
  };
  // Only Linux reports it.
  if (fleet.bytes === undefined || without === undefined) return [row];
  const times = fleet.bytes / without;
  const memory: Result = {
    operation: clients.memory.name,
    feed: `${Math.round(fleet.bytes / 1e6)} MB`,
    ratio: times,
    against: 'plain',
    ...rateValue(times, clients.memory),
  };
  return [row, memory];
}

/** As machines that were here before: one address may bring only so many new ones in an hour. */
async function remember(dataDir: string, machines: readonly string[]): Promise<void> {
  const data = openDataDir(dataDir);
  const db = openDatabase(data.database);
  try {
    const known = createSqlClients(db, () => new Date(), { maxNewAnHour: machines.length });
    for (const machine of machines) known.see(machine, undefined);
    await known.flush();
  } finally {
    db.close();
    data.release();
  }
}

/** Uploads what the generator would, and begins. */
async function startRollout(url: string, tool: string): Promise<void> {
  await hold(url, tool, '2.0.0', {});
  await hold(url, tool, '2.0.0.1', { corrects: '2.0.0' });
  await send(`${url}/api/v1/rollouts`, 'POST', JSON.stringify({ tool, version: '2.0.0', plan }), json);
}

async function hold(url: string, tool: string, version: string, more: object): Promise<void> {
  const exe = Buffer.from(`MZ ${tool} ${version}`);
  const address = `${url}/dl/${tool}/${version}/${tool}-windows-amd64.exe`;
  const manifest = printScoopManifest({
    version,
    homepage: 'https://example.org',
    license: 'MIT',
    architecture: { '64bit': { url: `${address}#/${tool}.exe`, hash: digestBytes(exe).sha256 } },
    bin: `${tool}.exe`,
  });
  await send(address, 'PUT', exe, {});
  await send(`${url}/nuget/`, 'PUT', makeNupkg({ id: tool, version }), { 'X-Held': tool });
  const message = `${tool}: Update to version ${version}`;
  const body = JSON.stringify({ packageId: tool, manifest, message, ...more });
  await send(`${url}/api/v1/held/${tool}/${version}`, 'PUT', body, json);
}

const json = { 'Content-Type': 'application/json' };

async function send(
  url: string,
  method: 'PUT' | 'POST',
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const answer = await fetch(url, {
    method,
    headers: { 'X-NuGet-ApiKey': adminKey, ...headers },
    body: new Uint8Array(Buffer.from(body)),
  });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
}
