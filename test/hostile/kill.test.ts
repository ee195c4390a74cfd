import { randomBytes, randomInt } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { type ServeProcess, startServe } from '../kit/serve-process.ts';
import { adminKey, makeTempDir, pushNupkg } from '../kit/test-server.ts';

const rounds = 8;
const pushers = 6;

type Sent = { readonly sha256: string; isAnswered: boolean };

describe('a server that is killed at any moment', () => {
  it('has every package that it confirmed, complete, and shows nothing incomplete', {
    timeout: 600_000,
  }, async () => {
    const dataDir = await makeTempDir();
    const sent = new Map<string, Sent>();
    for (let round = 0; round < rounds; round += 1) {
      const server = await startServe({ DATA_DIR: dataDir, ADMIN_API_KEY: adminKey, LOG_LEVEL: 'error' });
      await compare(server, sent);
      await pushUntilKilled(server, round, sent);
    }

    const last = await startServe({ DATA_DIR: dataDir, ADMIN_API_KEY: adminKey, LOG_LEVEL: 'error' });
    await compare(last, sent);

    expect([...sent.values()].filter(({ isAnswered }) => isAnswered).length).toBeGreaterThan(rounds);
    expect(await readdir(join(dataDir, 'blobs', 'tmp'))).toEqual([]);
    await last.end('SIGKILL');
  });
});

/** Each pusher pushes one package after the other; the moment of the end is drawn. */
async function pushUntilKilled(server: ServeProcess, round: number, sent: Map<string, Sent>): Promise<void> {
  let first: () => void = () => undefined;
  const firstAnswer = new Promise<void>((resolve) => {
    first = resolve;
  });
  const pushing = Array.from({ length: pushers }, async (_, pusher) => {
    for (let n = 0; ; n += 1) {
      const version = `${round}.${pusher}.${n}`;
      // From a few bytes to some hundred thousand, so that the end comes at every stage of a push.
      const noise = randomBytes(randomInt(10) === 0 ? randomInt(2_000_000) : randomInt(50_000));
      const nupkg = makeNupkg({ id: `killed${pusher}`, version, files: { 'tools/noise.bin': noise } });
      const one: Sent = { sha256: digestBytes(nupkg).sha256, isAnswered: false };
      sent.set(`killed${pusher}/${version}`, one);
      const answer = await pushNupkg(server, nupkg, adminKey);
      one.isAnswered = answer.status === 201;
      first();
    }
  });
  const ended = Promise.allSettled(pushing);
  await firstAnswer;
  await sleep(randomInt(400));
  await server.end('SIGKILL');
  await ended;
}

/** What was answered is there; what is there is what was sent; listing and download tell the same. */
async function compare({ url }: ServeProcess, sent: ReadonlyMap<string, Sent>): Promise<void> {
  const listed = new Set<string>();
  for (let pusher = 0; pusher < pushers; pusher += 1) {
    for await (const version of versionsOf(url, `killed${pusher}`)) listed.add(`killed${pusher}/${version}`);
  }
  for (const [name, { sha256, isAnswered }] of sent) {
    const answer = await fetch(`${url}/nuget/package/${name}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isThere = isAnswered || listed.has(name);
    expect([name, answer.status, listed.has(name)]).toEqual([name, isThere ? 200 : 404, isThere]);
    if (isThere) expect([name, digestBytes(bytes).sha256]).toEqual([name, sha256]);
  }
}

async function* versionsOf(url: string, id: string): AsyncGenerator<string> {
  let next: string | undefined = `${url}/nuget/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`;
  while (next !== undefined) {
    const page: string = await (await fetch(next)).text();
    for (const [, version = ''] of page.matchAll(/<d:Version>([^<]+)</g)) yield version;
    // Links are made from the address the server has now.
    next = /<link rel="next" href="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&');
  }
}
