import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { type KilledServer, startKilledServer } from '../kit/killed-server.ts';
import { hasNuget, makeNuget, type Nuget } from '../kit/nuget.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { makeKey, makeTempDir, pushNupkg } from '../kit/test-server.ts';
import { heldUploads } from '../server/api/held-uploads.ts';
import { offeredByChoco } from '../wire/offered.ts';

const fleet = Array.from({ length: 200 }, (_, at) => `pc-${String(at).padStart(4, '0')}`);
const canary = fleet.filter((id) => id.endsWith('7'));

/** The formula of the contract (section 8), written a second time. */
function position(seed: string, id: string): bigint {
  const digest = createHash('sha256').update(`go-win-tools rollout 1\n${seed}\n${id}`).digest();
  return (digest.readBigUInt64BE() * 10_000n) >> 64n;
}

const upTo = (seed: string, percent: number): string[] =>
  fleet.filter((id) => canary.includes(id) || position(seed, id) < BigInt(percent * 100));

const ten = upTo('delve/1.22.0', 10);
const half = upTo('delve/1.22.0', 50);
const allBut = (ids: readonly string[]): string[] => fleet.filter((id) => !ids.includes(id));
const never = allBut(half);
/** Of each kind: those whose git and nuget.exe are asked, too. */
const kinds = [
  canary,
  ten.filter((id) => !canary.includes(id)),
  half.filter((id) => !ten.includes(id)),
  never,
];
const withGit = kinds.flatMap((ids) => ids.slice(0, 2));
const withNuget = [canary, kinds[2] ?? [], never].flatMap((ids) => ids.slice(0, 1));

type RolloutNow = { readonly id: number; readonly state: string; readonly step: number };

/** Each test goes on from what the one before has left. */
describe('a fleet of 200 machines, whose server is killed again and again', () => {
  let dir: string;
  let server: KilledServer;
  let key: string;
  const highest = new Map<string, string>();
  const clones = new Map<string, { readonly git: GitClient; readonly clone: string }>();
  const nugets = new Map<string, Nuget>();
  let questions = 0;
  let nextKill = 250;

  beforeAll(async () => {
    dir = await makeTempDir();
    server = await startKilledServer(1_220_130);
    key = await makeKey(server, ['push', 'rollout'], [], 'ann');
    const publisher = await createGitClient(dir, key);
    for (const [tool, version] of [
      ['delve', '1.21.2'],
      ['buf', '1.32.0'],
    ] as const) {
      const { payload, textOf } = heldUploads(server, key, tool);
      await payload(version);
      await pushNupkg(server, makeNupkg({ id: tool, version }), server.adminKey);
      for (const branch of ['beta', 'main']) {
        const address = `${server.url}/git/${branch}/go-win-tools.git`;
        const work = await publisher.clone(address, `${tool}-${branch}`);
        const files = { [`bucket/${tool}.json`]: textOf(version) };
        await publisher.commit(work, `${tool}: Update to version ${version}`, files);
        await publisher.run(work, 'push', '--quiet', 'origin', branch);
      }
    }
    for (const id of withGit) {
      const home = join(dir, id);
      await mkdir(home);
      const git = await createGitClient(home);
      const clone = await git.clone(`${server.url}/git/c/${id}/go-win-tools.git`, 'bucket');
      clones.set(id, { git, clone });
    }
    for (const id of hasNuget ? withNuget : []) nugets.set(id, await makeNuget(join(dir, `nuget-${id}`)));
  });
  afterAll(async () => {
    await server.stop();
    await rm(server.dataDir, { recursive: true, force: true, maxRetries: 5 });
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Asks; at drawn questions the server is killed meanwhile, and the machine asks again. */
  async function surely<T>(ask: () => Promise<T>): Promise<T> {
    questions += 1;
    if (questions === nextKill) {
      nextKill += 200 + server.draw(400);
      await server.killDuring(ask);
    }
    return ask();
  }

  /** What Chocolatey and Scoop show a machine: the same version, which never goes back. */
  async function offered(tool: string, id: string): Promise<string> {
    const version = (await surely(() => offeredByChoco(server.url, id, tool, fleet.indexOf(id)))) ?? '';
    const manifest = await fetch(`${server.url}/m/c/${id}/${tool}.json`);
    expect([id, version]).toEqual([id, ((await manifest.json()) as { version: string }).version]);
    const before = highest.get(`${tool} ${id}`) ?? version;
    const order = version.localeCompare(before, 'en', { numeric: true });
    expect(order, `${id}: ${before}, ${version}`).toBeGreaterThanOrEqual(0);
    highest.set(`${tool} ${id}`, version);
    return version;
  }

  /** The machines by the version that each is offered. */
  async function offers(tool: string): Promise<Record<string, string[]>> {
    const machines: Record<string, string[]> = {};
    for (const id of fleet) {
      const version = await offered(tool, id);
      machines[version] = [...(machines[version] ?? []), id];
    }
    for (const id of withGit) await pull(tool, id);
    return machines;
  }

  async function pull(tool: string, id: string): Promise<void> {
    const { git, clone } = clones.get(id)!;
    await surely(() => git.run(clone, 'pull', '--quiet', '--ff-only'));
    expect(await git.run(clone, 'status', '--porcelain')).toBe('');
    const { version } = JSON.parse(await readFile(join(clone, 'bucket', `${tool}.json`), 'utf8'));
    expect([id, version]).toEqual([id, highest.get(`${tool} ${id}`)]);
  }

  const call = (method: string, path: string, body?: unknown) =>
    heldUploads(server, key).call(method, path, key, body);

  async function startRollout(tool: string, version: string): Promise<number> {
    const { whole } = heldUploads(server, key, tool);
    await whole(version);
    await whole(`${version}.1`, { corrects: version });
    const steps = [
      { ring: 'canary', hold: '1d' },
      { percent: 10, hold: '1d' },
      { percent: 50, hold: '1d' },
    ];
    const order = { tool, version, plan: { steps } };
    await server.killDuring(() => call('POST', '/rollouts', order));
    // A server that is killed forgets who came first in its last five seconds; a ring needs one machine that it knows.
    await offered(tool, canary[0]!);
    const [status, rollout] = await call('POST', '/rollouts', order);
    expect([200, 201], JSON.stringify(rollout)).toContain(status);
    return (rollout as RolloutNow).id;
  }

  /** The server is killed while it acts: what was done is found done, and else it is done now. */
  async function act(id: number, action: string, isDone: (rollout: RolloutNow) => boolean): Promise<void> {
    await server.killDuring(() => call('POST', `/rollouts/${id}/${action}`));
    const [, found] = await call('GET', `/rollouts/${id}`);
    const [status, now] = isDone(found as RolloutNow)
      ? [200, found]
      : await call('POST', `/rollouts/${id}/${action}`);
    expect([status, isDone(now as RolloutNow)], JSON.stringify(now)).toEqual([200, true]);
  }
  const advance = (id: number, step: number) => act(id, 'advance', (rollout) => rollout.step === step);
  const become = (id: number, action: string, state: string) =>
    act(id, action, (rollout) => rollout.state === state);

  let delve = 0;
  let buf = 0;

  it('has what everybody has', async () => {
    expect(await offers('delve')).toEqual({ '1.21.2': fleet });
    expect(await offers('buf')).toEqual({ '1.32.0': fleet });
  });

  it('gets a version in its ring first', async () => {
    const ring = { name: 'canary', globs: ['pc-*7'] };
    const [status] = await heldUploads(server, key).call('POST', '/rings', server.adminKey, ring);
    expect(status).toBeLessThan(300);
    delve = await startRollout('delve', '1.22.0');

    expect(await offers('delve')).toEqual({ '1.22.0': canary, '1.21.2': allBut(canary) });
  });

  it('gets nothing new in a halt, and goes on with the machines of the formula', async () => {
    await advance(delve, 2);
    expect(ten.length).toBeGreaterThan(canary.length);
    // Half of the fleet asks before the halt.
    for (const id of fleet.slice(0, 100)) await offered('delve', id);
    await become(delve, 'halt', 'halted');
    const early = new Set([...fleet.slice(0, 100), ...canary]);
    const having = ten.filter((id) => early.has(id));
    expect(having.length).toBeLessThan(ten.length);
    expect(await offers('delve')).toEqual({ '1.22.0': having, '1.21.2': allBut(having) });

    await become(delve, 'resume', 'rolling');

    expect(await offers('delve')).toEqual({ '1.22.0': ten, '1.21.2': allBut(ten) });
  });

  it('gets another tool in between, and half of it the version', async () => {
    buf = await startRollout('buf', '1.33.0');
    await advance(delve, 3);

    expect(await offers('delve')).toEqual({ '1.22.0': half, '1.21.2': never });
    expect(await offers('buf')).toEqual({ '1.33.0': canary, '1.32.0': allBut(canary) });
  });

  it.skipIf(!hasNuget)('is shown the same by nuget.exe (needs mono)', async () => {
    for (const [id, nuget] of nugets) {
      const { stdout, stderr } = await nuget('list', 'delve', '-Source', `${server.url}/nuget/c/${id}`);
      expect(stdout, stderr).toContain(`delve ${highest.get(`delve ${id}`)}\n`);
    }
  });

  it('gets the correction after a rollback, where it had the version, and nothing elsewhere', async () => {
    await become(delve, 'rollback', 'rolled-back');

    expect(await offers('delve')).toEqual({ '1.22.0.1': half, '1.21.2': never });
  });

  it('gets what is completed everywhere, and agrees with main or with the correction', async () => {
    await become(buf, 'complete', 'completed');

    expect(await offers('buf')).toEqual({ '1.33.0': fleet });
    expect(await offers('delve')).toEqual({ '1.22.0.1': half, '1.21.2': never });
    const plain = await (await fetch(`${server.url}/nuget/FindPackagesById()?id='delve'`)).text();
    expect(plain).toContain('1.21.2');
    expect(plain).not.toContain('1.22.0');
  });

  it.skipIf(!hasNuget)('installs what it is offered with nuget.exe (needs mono)', async () => {
    for (const [id, nuget] of nugets) {
      const source = ['-Source', `${server.url}/nuget/c/${id}`];
      const { stdout, stderr } = await nuget(
        'install',
        'delve',
        ...source,
        '-OutputDirectory',
        join(dir, id),
      );
      const version = highest.get(`delve ${id}`);
      expect(stdout, stderr).toContain(`Successfully installed 'delve ${version}'`);
    }
  });
});
