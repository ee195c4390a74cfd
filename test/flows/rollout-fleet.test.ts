import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';
import { heldUploads } from '../server/api/held-uploads.ts';

const fleet = Array.from({ length: 200 }, (_, at) => `pc-${String(at).padStart(4, '0')}`);
const canary = fleet.filter((id) => id.endsWith('7'));

/** The formula of the contract (section 8), written a second time. */
function position(seed: string, id: string): bigint {
  const digest = createHash('sha256').update(`go-win-tools rollout 1\n${seed}\n${id}`).digest();
  return (digest.readBigUInt64BE() * 10_000n) >> 64n;
}

const upTo = (seed: string, percent: number): string[] =>
  fleet.filter((id) => canary.includes(id) || position(seed, id) < BigInt(percent * 100));

describe('a fleet of 200 machines', () => {
  let server: TestServer;
  let key: string;
  const highest = new Map<string, string>();
  beforeAll(async () => {
    server = await startTestServer();
    key = await makeKey(server, ['push', 'rollout'], [], 'ann');
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.21.2' }), server.adminKey);
    await pushNupkg(server, makeNupkg({ id: 'buf', version: '1.32.0' }), server.adminKey);
  });
  afterAll(() => server.stop());

  /** The latest stable version that a machine is offered, as choco 2 asks for it; it must never go back. */
  async function offered(tool: string, id: string): Promise<string> {
    const query = `$filter=tolower(Id)%20eq%20'${tool}'%20and%20IsLatestVersion&semVerLevel=2.0.0`;
    const answer = await fetch(`${server.url}/nuget/c/${id}/Packages()?${query}`);
    const [, version = ''] = /<d:Version>([^<]*)</.exec(await answer.text()) ?? [];
    const before = highest.get(`${tool} ${id}`) ?? version;
    expect(
      version.localeCompare(before, 'en', { numeric: true }),
      `${id}: ${before}, ${version}`,
    ).toBeGreaterThanOrEqual(0);
    highest.set(`${tool} ${id}`, version);
    return version;
  }

  async function offeredTo(tool: string, version: string): Promise<string[]> {
    const having: string[] = [];
    for (const id of fleet) if ((await offered(tool, id)) === version) having.push(id);
    return having;
  }

  async function startRollout(tool: string, version: string): Promise<number> {
    const { whole, call } = heldUploads(server, key, tool);
    await whole(version);
    await whole(`${version}.1`, { corrects: version });
    const steps = [
      { ring: 'canary', hold: '1d' },
      { percent: 10, hold: '1d' },
      { percent: 50, hold: '1d' },
    ];
    const [status, rollout] = await call('POST', '/rollouts', key, { tool, version, plan: { steps } });
    expect(status, JSON.stringify(rollout)).toBe(201);
    return (rollout as { id: number }).id;
  }

  async function act(id: number, action: string): Promise<void> {
    const [status, answer] = await heldUploads(server, key).call('POST', `/rollouts/${id}/${action}`, key);
    expect(status, JSON.stringify(answer)).toBe(200);
  }

  it('gets a version step by step as the formula says, keeps it in a halt, and gets the correction after a rollback', async () => {
    expect(await offeredTo('delve', '1.21.2')).toEqual(fleet);
    const globs = ['pc-*7'];
    await heldUploads(server, key).call('POST', '/rings', server.adminKey, { name: 'canary', globs });
    const delve = await startRollout('delve', '1.22.0');

    expect(await offeredTo('delve', '1.22.0')).toEqual(canary);
    await act(delve, 'advance');
    const ten = upTo('delve/1.22.0', 10);
    expect(ten.length).toBeGreaterThan(canary.length);
    // Half of the fleet asks before the halt; the others get nothing new until it goes on.
    for (const id of fleet.slice(0, 100)) await offered('delve', id);
    await act(delve, 'halt');
    const early = new Set([...fleet.slice(0, 100), ...canary]);
    expect(await offeredTo('delve', '1.22.0')).toEqual(ten.filter((id) => early.has(id)));
    await act(delve, 'resume');
    expect(await offeredTo('delve', '1.22.0')).toEqual(ten);

    const buf = await startRollout('buf', '1.33.0');
    await act(delve, 'advance');
    const half = upTo('delve/1.22.0', 50);
    expect(await offeredTo('delve', '1.22.0')).toEqual(half);
    expect(await offeredTo('buf', '1.33.0')).toEqual(canary);

    await act(delve, 'rollback');
    expect(await offeredTo('delve', '1.22.0.1')).toEqual(half);
    expect(await offeredTo('delve', '1.21.2')).toEqual(fleet.filter((id) => !half.includes(id)));

    await act(buf, 'complete');
    expect(await offeredTo('buf', '1.33.0')).toEqual(fleet);
    const plain = await (await fetch(`${server.url}/nuget/FindPackagesById()?id='delve'`)).text();
    expect(plain).not.toContain('1.22.0');
  });
});
