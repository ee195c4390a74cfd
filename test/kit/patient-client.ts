import { setTimeout as sleep } from 'node:timers/promises';
import { pushNupkg, type TestServer } from './test-server.ts';

/**
 * As clients do: what a server refuses for the moment (503, with Retry-After) is asked again. A replica on a busy machine refuses what it
 * cannot compare with the database in time, rather than answer with something old. The limit of the test ends it.
 */
export async function fetchPatiently(url: string, init?: RequestInit): Promise<Response> {
  for (;;) {
    const answer = await fetch(url, init);
    if (answer.status !== 503) return answer;
    await answer.arrayBuffer();
    await sleep(200);
  }
}

/** The status of a push that is repeated while it is refused for the moment. */
export async function pushPatiently(
  server: Pick<TestServer, 'url'>,
  nupkg: Buffer,
  key: string,
): Promise<number> {
  for (;;) {
    const answer = await pushNupkg(server, nupkg, key);
    await answer.arrayBuffer();
    if (answer.status !== 503) return answer.status;
    await sleep(200);
  }
}

/** Does again what failed since a replica could not compare itself with the database in time: for programs that do not repeat a request. */
export async function untilCompared<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!String(error).includes('lost contact with its database')) throw error;
      await sleep(200);
    }
  }
}
