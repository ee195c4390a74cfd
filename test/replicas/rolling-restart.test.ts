import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, startCluster } from '../kit/cluster.ts';
import { createGitClient } from '../kit/git.ts';
import { type Balancer, startHaproxy } from '../kit/haproxy.ts';
import { mainJs } from '../kit/main-js.ts';
import { makeNextVersion } from '../kit/next-version.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { untilCompared } from '../kit/patient-client.ts';
import { hasProgram, mustRun } from '../kit/programs.ts';
import { adminKey, makeTempDir, pushNupkg } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';

/** A soak sets more of both. */
const rounds = Number(process.env.RESTART_ROUNDS ?? 1);
const uploadMebibytes = Number(process.env.UPLOAD_MEBIBYTES ?? 2);
if (uploadMebibytes > 100) useDisk();
const mebibyte = 1024 ** 2;
const patiently = { timeout: 120_000, interval: 100 };

describe.skipIf(!canCluster || !hasProgram('haproxy') || !hasProgram('git'))(
  'a rolling upgrade behind HAProxy (needs PostgreSQL, versitygw, haproxy and git)',
  () => {
    let cluster: Cluster;
    let balancer: Balancer;
    let dir: string;
    let next: string;
    beforeAll(async () => {
      dir = await makeTempDir();
      next = await makeNextVersion(join(dir, 'next'));
      // HAProxy notices within a second; a busy machine gets the rest.
      cluster = await startCluster(3, { STOP_DELAY: '15s', TRUST_PROXY: 'loopback' });
      const port = Number(new URL(cluster.publicUrl).port);
      balancer = await startHaproxy(
        port,
        cluster.replicas.map(({ url }) => url),
      );
    });
    afterAll(async () => {
      await balancer?.stop();
      await cluster?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    const migrateBy = (main: string, ...args: string[]) =>
      mustRun(process.execPath, [main, 'feed:migrate', ...args], {
        env: { ...cluster.settings, DATA_DIR: dir },
      });

    it('fails no request while two versions run: listing, download, push, payload, clone, nor an upload that takes all the time', async () => {
      const { url } = balancer;
      const first = makeNupkg({ id: 'rolled' });
      await must(201, () => pushNupkg({ url }, first, adminKey));
      const git = await createGitClient(await makeTempDir());
      const load = startLoad({
        async list() {
          const list = await mustGet(`${url}/nuget/FindPackagesById()?id='rolled'`);
          return list.includes('<d:Version>1.0.0</d:Version>');
        },
        async download() {
          return first.equals(await mustGet(`${url}/nuget/package/rolled/1.0.0`));
        },
        async push(number) {
          const nupkg = makeNupkg({ id: `pushed-${number}` });
          await must(201, () => pushNupkg({ url }, nupkg, adminKey));
          const entry = await mustGet(`${url}/nuget/Packages(Id='pushed-${number}',Version='1.0.0')`);
          return entry.includes('<d:Version>1.0.0</d:Version>');
        },
        async payload(number) {
          const address = `${url}/dl/tool/1.0.${number}/tool-windows-amd64.exe`;
          const init = { method: 'PUT', duplex: 'half', headers: { 'X-NuGet-ApiKey': adminKey } };
          await must(201, () =>
            fetch(address, { ...init, body: payloadOf(number, uploadMebibytes) } as RequestInit),
          );
          const answer = await fetch(address, { method: 'HEAD' });
          return Number(answer.headers.get('Content-Length')) === uploadMebibytes * mebibyte;
        },
        async clone(number) {
          await untilCompared(() => git.clone(`${url}/git/main/go-win-tools.git`, `clone-${number}`));
          return true;
        },
      });

      for (let round = 0; round < rounds; round += 1) {
        for (const [at, replica] of cluster.replicas.entries()) {
          await expect.poll(() => balancer.isUp(at), patiently).toBe(true);
          // HAProxy gives each replica one of them.
          const uploads = cluster.replicas.map((_, part) =>
            beginUpload(url, makeNupkg({ id: `slow-${round}-${at}-${part}` })),
          );

          const stopped = replica.stop();
          await expect.poll(() => balancer.isUp(at), patiently).toBe(false);
          for (const upload of uploads) expect(await upload.finish()).toBe(201);

          expect(await stopped).toBe(0);
          // To the next version, and in the next round back.
          await replica.start(round % 2 === 0 ? next : undefined);
        }
      }
      const { failures, counts } = await load.end();
      process.stdout.write(`${rounds} rounds: ${JSON.stringify(counts)}\n`);

      expect(failures).toEqual([]);
      expect(
        Object.entries(counts).every(([name, count]) => count > (name === 'payload' ? 0 : 5)),
        JSON.stringify(counts),
      ).toBe(true);
    });

    it('can be taken back until what only one version knows is dropped', async () => {
      const { postgres, replicas } = cluster;
      const [first] = replicas;
      const hasShades = () => postgres.sql("SELECT to_regclass('shades') IS NOT NULL");
      await migrateBy(next);
      expect(await migrateBy(mainJs, '--contract')).toContain('A newer version has migrated it.');
      expect(await hasShades()).toBe('t');
      await first?.kill();
      await first?.start();

      // The version after the next one has no use for what that added.
      const last = await makeNextVersion(join(dir, 'last'), ['SELECT 1;', 'SELECT 1;']);
      expect(await migrateBy(last)).toContain('left  contract: drop the table shades');
      await first?.kill();
      await first?.start(next);
      expect(await migrateBy(last, '--contract')).toContain('done  contract: drop the table shades');
      expect(await hasShades()).toBe('f');

      await first?.kill();
      await expect(first?.start(next)).rejects.toThrow('or newer');
      await first?.start(last);
      const pushed = await pushNupkg(first ?? { url: '' }, makeNupkg({ id: 'by-the-last' }), adminKey);
      expect(pushed.status).toBe(201);
    });
  },
);

/**
 * Throws what the response says unless it has this status. A replica that a busy machine keeps from its database says so, and is asked
 * again: that has nothing to do with a restart.
 */
function must(status: number, ask: () => Promise<Response>): Promise<Buffer> {
  return untilCompared(async () => {
    const answer = await ask();
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== status) throw new Error(`${answer.status} ${body}`);
    return body;
  });
}

function mustGet(url: string): Promise<Buffer> {
  return must(200, () => fetch(url));
}

/** Bytes of its own for each number, made as they are sent. */
function payloadOf(number: number, mebibytes: number): ReadableStream {
  function* pieces(): Generator<Buffer> {
    const piece = Buffer.alloc(mebibyte, `payload ${number} `);
    for (let at = 0; at < mebibytes; at += 1) yield piece;
  }
  return Readable.toWeb(Readable.from(pieces())) as ReadableStream;
}

type Request = (number: number) => Promise<boolean>;

/** Does each of these again and again, until the end. */
function startLoad(requests: Readonly<Record<string, Request>>) {
  const failures: string[] = [];
  const counts: Record<string, number> = {};
  let isEnding = false;
  const loops = Object.entries(requests).map(async ([name, ask]) => {
    for (let number = 0; !isEnding; number += 1) {
      const isRight = await ask(number).catch((error: unknown) => {
        failures.push(`${name} ${number}: ${String(error)} ${String((error as Error).cause ?? '')}`);
        return true;
      });
      if (!isRight) failures.push(`${name} ${number}`);
      counts[name] = number + 1;
      await sleep(50);
    }
  });
  return {
    async end() {
      isEnding = true;
      await Promise.all(loops);
      return { failures, counts };
    },
  };
}

/** Half of the package goes at once, the rest when it is to finish; that answers with the status. */
function beginUpload(url: string, nupkg: Buffer) {
  const sent = request(`${url}/nuget/`, {
    method: 'PUT',
    headers: { 'X-NuGet-ApiKey': adminKey, 'Content-Length': nupkg.length },
  });
  const answered = new Promise<number>((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', (answer) => {
      text(answer).then(() => resolve(answer.statusCode ?? 0), reject);
    });
  });
  answered.catch(() => undefined);
  sent.write(nupkg.subarray(0, nupkg.length / 2));
  return {
    finish(): Promise<number> {
      sent.end(nupkg.subarray(nupkg.length / 2));
      return answered;
    },
  };
}
