import { setTimeout as sleep } from 'node:timers/promises';
import { digestBytes } from '../../../formats/digest.ts';
import { makeNupkg } from '../nupkg.ts';
import { adminKey, pushNupkg } from '../test-server.ts';
import type { History } from './history.ts';
import { common, keyOf, type Soak } from './soak.ts';

/** An id that has as many gives one away before it gets another, so that the feed stays as large as it is. */
const maxVersions = 12;
const kinds = ['push', 'push', 'push', 'list', 'push', 'list', 'purge'] as const;
const auth = { 'X-NuGet-ApiKey': adminKey };

/** Pushes, unlists, lists again and purges, one change after the other. Nobody else may change these ids. */
export async function keepChanging(
  soak: Soak,
  histories: readonly History[],
  everyMs: number,
): Promise<void> {
  const pushed = new Map<History, number>();
  for (let turn = 0; !soak.isOver(); turn += 1) {
    const history = histories[turn % histories.length];
    if (history === undefined) return;
    const state = history.now();
    const one = state[Math.floor(turn / kinds.length) % Math.max(state.length, 1)];
    const kind = state.length >= maxVersions ? 'purge' : kinds[turn % kinds.length];
    if (one === undefined || kind === 'push') {
      const number = pushed.get(history) ?? 0;
      pushed.set(history, number + 1);
      await push(soak, history, `1.0.${number}`);
    } else if (kind === 'purge') await purge(soak, history, one.version);
    else await list(soak, history, one.version, !one.isListed);
    await sleep(everyMs);
  }
}

async function push({ url, digests }: Soak, history: History, version: string): Promise<void> {
  const { id } = history;
  const nupkg = makeNupkg({ id, version, metadata: { description: `What a ${common} has.` } });
  digests.set(keyOf(id, version), digestBytes(nupkg).sha256);
  await history.change([...history.now(), { version, isListed: true }], () =>
    mustSucceed(pushNupkg({ url }, nupkg, adminKey)),
  );
}

async function list({ url }: Soak, history: History, version: string, isListed: boolean): Promise<void> {
  const next = history.now().map((one) => (one.version === version ? { version, isListed } : one));
  const address = `${url}/nuget/package/${history.id}/${version}`;
  await history.change(next, () =>
    mustSucceed(fetch(address, { method: isListed ? 'POST' : 'DELETE', headers: auth })),
  );
}

async function purge({ url }: Soak, history: History, version: string): Promise<void> {
  const next = history.now().filter((one) => one.version !== version);
  const headers = { ...auth, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ id: history.id, version, reason: 'a test' });
  await history.change(next, () =>
    mustSucceed(fetch(`${url}/api/v1/purges`, { method: 'POST', headers, body })),
  );
}

async function mustSucceed(answering: Promise<Response>): Promise<void> {
  const answer = await answering;
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${text}`);
}
