import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, startCluster } from '../kit/cluster.ts';
import { createGitClient } from '../kit/git.ts';
import { type Balancer, startHaproxy } from '../kit/haproxy.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { untilCompared } from '../kit/patient-client.ts';
import { hasProgram } from '../kit/programs.ts';
import { adminKey, makeTempDir, pushNupkg } from '../kit/test-server.ts';

/** A soak sets more. */
const rounds = Number(process.env.RESTART_ROUNDS ?? 1);
const patiently = { timeout: 120_000, interval: 100 };

describe.skipIf(!canCluster || !hasProgram('haproxy') || !hasProgram('git'))(
  'a rolling restart behind HAProxy (needs PostgreSQL, versitygw, haproxy and git)',
  () => {
    let cluster: Cluster;
    let balancer: Balancer;
    beforeAll(async () => {
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
    });

    it('fails no request: listing, download, push, clone, nor an upload that takes all the time', async () => {
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
          await replica.start();
        }
      }
      const { failures, counts } = await load.end();

      expect(failures).toEqual([]);
      expect(
        Object.values(counts).every((count) => count > 5),
        JSON.stringify(counts),
      ).toBe(true);
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
