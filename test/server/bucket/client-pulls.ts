import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { compareScoopVersions } from '../../../formats/scoop-version.ts';
import { operator } from '../../../server/audit/audit.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { positionOf } from '../../../server/rollout/position.ts';
import { openRollouts } from '../../../server/rollout-services.ts';
import { makePackage } from '../../kit/new-package.ts';
import { startClientFixture } from './client-fixture.ts';

const tools = ['age', 'buf', 'delve', 'fzf'];
const clients = ['pc-0001', 'pc-0002', 'pc-0003', 'build-agent-7'];
const steps = [20, 50, 80];
/** How many other owners must approve. */
const approvals = [
  { glob: 'delve', owners: 2 },
  { glob: 'fzf', owners: 1 },
];
const owners = ['ann', 'bob', 'cyd', 'dan'];
const written = { steps: steps.map((percent) => ({ percent, hold: '1h', needs: 0 })) };

const someStep = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant('start' as const) },
    { weight: 4, arbitrary: fc.constant('advance' as const) },
    { weight: 3, arbitrary: fc.constantFrom('release' as const, 'complete' as const, 'rollback' as const) },
    { weight: 2, arbitrary: fc.constantFrom('halt' as const, 'resume' as const, 'pull' as const) },
    { weight: 3, arbitrary: fc.constant('approve' as const) },
    { weight: 1, arbitrary: fc.constantFrom('reject' as const, 'restart' as const) },
  ),
  tool: fc.constantFrom(...tools),
  client: fc.nat(clients.length - 1),
  owner: fc.constantFrom(...owners),
});
type Step = typeof someStep extends fc.Arbitrary<infer Value> ? Value : never;

/** What the contract says of a rollout (section 8), kept beside the server's own rows. */
type Rollout = {
  readonly id: number;
  readonly version: string;
  seed: string;
  readonly correction: string | undefined;
  /** What main offered when its correction was uploaded: it has those bytes. */
  readonly correctionOf: string | undefined;
  state: 'pending' | 'rolling' | 'halted' | 'completed' | 'rolled-back' | 'superseded' | 'rejected';
  step: number;
  readonly owner: string;
  readonly approvedBy: Set<string>;
  readonly admitted: Set<string>;
  /** Those admitted to predecessors that were above main when this one was rolled back. */
  readonly alsoCorrected: Set<string>;
};

class Model {
  readonly main = new Map<string, string>();
  readonly rollouts = new Map<string, Rollout[]>(tools.map((tool) => [tool, []]));

  of(tool: string): Rollout[] {
    return this.rollouts.get(tool) ?? [];
  }

  open(tool: string): Rollout | undefined {
    return this.of(tool).find(({ state }) => state === 'rolling' || state === 'halted');
  }

  pending(tool: string): Rollout | undefined {
    return this.of(tool).find(({ state }) => state === 'pending');
  }

  /** An unfinished or rolled-back predecessor's is inherited. */
  seedOf(tool: string, version: string): string {
    const last = this.of(tool).findLast(({ state }) => state !== 'rejected');
    return last === undefined || last.state === 'completed' ? `${tool}/${version}` : last.seed;
  }

  start(tool: string, rollout: Pick<Rollout, 'id' | 'version' | 'correction' | 'owner'>): void {
    const { version } = rollout;
    const isPending = needed(tool) > 0;
    const before = [this.pending(tool), ...(isPending ? [] : [this.open(tool)])];
    for (const each of before) if (each !== undefined) each.state = 'superseded';
    this.of(tool).push({
      ...rollout,
      seed: this.seedOf(tool, version),
      correctionOf: this.main.get(tool),
      state: isPending ? 'pending' : 'rolling',
      step: isPending ? -1 : 0,
      approvedBy: new Set(),
      admitted: new Set(),
      alsoCorrected: new Set(),
    });
  }

  /** Who started it is not asked, and everybody only once; with the last approval it takes the place of the one before. */
  approve(tool: string, rollout: Rollout, owner: string): 'same-owner' | undefined {
    if (owner === rollout.owner || rollout.approvedBy.has(owner)) return 'same-owner';
    rollout.approvedBy.add(owner);
    if (rollout.approvedBy.size < needed(tool) || this.lacksCorrection(tool, rollout)) return undefined;
    const before = this.open(tool);
    if (before !== undefined) before.state = 'superseded';
    rollout.state = 'rolling';
    rollout.step = 0;
    return undefined;
  }

  /** Main has changed since: it waits until its correction is prepared anew, which nobody does in this walk. */
  private lacksCorrection(tool: string, { correction, correctionOf }: Rollout): boolean {
    const main = this.main.get(tool);
    if (main === undefined) return false;
    return correction === undefined || (correctionOf !== undefined && correctionOf !== main);
  }

  complete(tool: string, rollout: Rollout): void {
    rollout.state = 'completed';
    this.main.set(tool, rollout.version);
    // Nobody was admitted to it yet, and its predecessor is finished.
    const next = this.pending(tool);
    if (next !== undefined) next.seed = `${tool}/${next.version}`;
  }

  admit(client: string): void {
    for (const tool of tools) {
      const rollout = this.open(tool);
      if (rollout?.state !== 'rolling') continue;
      const percent = steps[rollout.step] ?? 100;
      if (positionOf(rollout.seed, client) < percent * 100) rollout.admitted.add(client);
    }
  }

  rollBack(tool: string, rollout: Rollout): void {
    rollout.state = 'rolled-back';
    for (const { state, version, admitted } of this.of(tool)) {
      if (state !== 'superseded' || !isAbove(version, this.main.get(tool))) continue;
      for (const client of admitted) rollout.alsoCorrected.add(client);
    }
  }

  offered(tool: string, client: string): string | undefined {
    const candidates = [this.main.get(tool)];
    for (const { state, version, correction, admitted, alsoCorrected } of this.of(tool)) {
      const isIn = admitted.has(client);
      if (isIn && ['rolling', 'halted', 'superseded'].includes(state)) candidates.push(version);
      if (state === 'rolled-back' && (isIn || alsoCorrected.has(client))) candidates.push(correction);
    }
    return candidates.reduce((one, other) => (other !== undefined && isAbove(other, one) ? other : one));
  }
}

function needed(tool: string): number {
  return approvals.find(({ glob }) => glob === tool)?.owners ?? 0;
}

function isAbove(version: string, other: string | undefined): boolean {
  return other === undefined || compareScoopVersions(version, other) > 0;
}

/**
 * Takes random steps with rollouts of four tools on a server, and lets real git clients pull after each: every pull goes
 * forward, the work tree is clean and what the model says, and the feed says the same.
 */
export async function pullAfterRandomSteps(count: number, seed: number): Promise<void> {
  const model = new Model();
  const highest = new Map(tools.map((tool) => [tool, 0]));
  const texts = new Map<string, string>();
  const fixture = await startClientFixture();
  try {
    const now = (): Date => new Date();
    const catalog = createSqlCatalog(fixture.db, now);
    const services = openRollouts(fixture.db, { catalog, approvals, now });
    const { rollouts, views } = services;
    fixture.grants = views.bucketGrants;
    const folders = new Map<string, string>();
    for (const client of clients) {
      folders.set(client, await fixture.git.clone(fixture.address(client), `clone-${client}`));
    }

    const textOf = (tool: string, version: string): string => {
      const text = texts.get(`${tool}@${version}`) ?? fixture.server.manifest(tool, version);
      texts.set(`${tool}@${version}`, text);
      return text;
    };
    const next = (tool: string): string => {
      const number = (highest.get(tool) ?? 0) + 1;
      highest.set(tool, number);
      return `1.${number}.0`;
    };
    async function hold(tool: string, version: string, corrects?: string): Promise<void> {
      await catalog.hold(makePackage({ id: tool, version }), operator);
      const message = `${tool}: Update to version ${version}`;
      await fixture.held.put({
        tool,
        version,
        packageId: tool,
        text: textOf(tool, version),
        message,
        corrects,
      });
    }

    const actions: Readonly<Record<Step['kind'], (tool: string, owner: string) => Promise<void>>> = {
      async release(tool) {
        if (model.open(tool) !== undefined) return;
        const version = next(tool);
        // To the feed first: until the manifest follows, nobody falls back.
        await catalog.add(makePackage({ id: tool, version }), operator);
        for (const client of clients) await check(client, false);
        await fixture.decide({ tool, version, text: textOf(tool, version), branches: ['main', 'beta'] });
        await fixture.server.bucket.finishCommits();
        model.main.set(tool, version);
        const overtaken = model.pending(tool);
        const changed = await rollouts.tick();
        expect(changed.map(({ id, state }) => [id, state])).toEqual(
          overtaken === undefined ? [] : [[overtaken.id, 'superseded']],
        );
        if (overtaken !== undefined) overtaken.state = 'superseded';
      },
      async start(tool, owner) {
        const version = next(tool);
        // The one that is open may be on main when this one has its approvals.
        const hasMain = model.main.has(tool) || (needed(tool) > 0 && model.open(tool) !== undefined);
        const correction = hasMain ? `${version}.1` : undefined;
        await hold(tool, version);
        if (correction !== undefined) {
          for (const each of [`${correction}-beta.1`, correction]) await hold(tool, each, version);
        }
        const order = {
          tool,
          packageId: tool,
          version,
          plan: RolloutPlan.parse(written),
          writtenPlan: written,
        };
        const outcome = await rollouts.start({ ...order, owner }, { by: operator });
        if (outcome.is !== 'started') throw new Error(JSON.stringify(outcome));
        const { id } = outcome.rollout;
        model.start(tool, { id, version, correction, owner });
        const { state, seed: ofClients } = model.of(tool).at(-1) ?? {};
        expect([outcome.rollout.state, outcome.rollout.seed]).toEqual([state, ofClients]);
      },
      async approve(tool, owner) {
        const rollout = model.pending(tool);
        if (rollout === undefined) return;
        const outcome = await rollouts.act(rollout.id, { kind: 'approve', owner }, { by: operator });
        expect(outcome?.refusal).toBe(model.approve(tool, rollout, owner));
        expect(outcome?.rollout.state).toBe(rollout.state);
      },
      async reject(tool, owner) {
        const rollout = model.pending(tool);
        if (rollout === undefined) return;
        const isOther = owner !== rollout.owner;
        const outcome = await rollouts.act(rollout.id, { kind: 'reject', owner }, { by: operator });
        expect(outcome?.refusal).toBe(isOther ? undefined : 'same-owner');
        if (isOther) rollout.state = 'rejected';
      },
      advance: (tool) =>
        act(tool, 'advance', ['rolling'], (rollout) => {
          if (rollout.step + 1 < steps.length) rollout.step += 1;
          else model.complete(tool, rollout);
        }),
      complete: (tool) => act(tool, 'complete', ['rolling'], (rollout) => model.complete(tool, rollout)),
      rollback: (tool) =>
        act(tool, 'rollback', ['rolling', 'halted'], (rollout) => model.rollBack(tool, rollout)),
      halt: (tool) =>
        act(tool, 'halt', ['rolling'], (rollout) => {
          rollout.state = 'halted';
        }),
      resume: (tool) =>
        act(tool, 'resume', ['halted'], (rollout) => {
          rollout.state = 'rolling';
        }),
      pull: async () => undefined,
      async restart() {
        await fixture.restart();
        for (const [client, folder] of folders) {
          await fixture.git.run(folder, 'remote', 'set-url', 'origin', fixture.address(client));
        }
      },
    };

    async function act(
      tool: string,
      kind: 'advance' | 'complete' | 'rollback' | 'halt' | 'resume',
      states: readonly Rollout['state'][],
      then: (rollout: Rollout) => void,
    ): Promise<void> {
      const rollout = model.open(tool);
      if (rollout === undefined || !states.includes(rollout.state)) return;
      const outcome = await rollouts.act(rollout.id, { kind }, { by: operator });
      expect(outcome?.refusal).toBeUndefined();
      then(rollout);
    }

    async function check(client: string, isFeedAsked: boolean): Promise<void> {
      const folder = folders.get(client) ?? '';
      const before = await fixture.git.run(folder, 'rev-parse', 'HEAD');
      model.admit(client);
      await fixture.git.run(folder, 'pull', '--quiet', '--ff-only');
      await fixture.git.run(folder, 'merge-base', '--is-ancestor', before, 'HEAD');
      expect(await fixture.git.run(folder, 'status', '--porcelain')).toBe('');
      const expected = tools.map((tool) => [tool, model.offered(tool, client)]);
      const shown = await readManifests(folder);
      expect(Object.fromEntries(shown)).toEqual(
        Object.fromEntries(
          expected.flatMap(([tool = '', version]) =>
            version === undefined ? [] : [[tool, textOf(tool, version)]],
          ),
        ),
      );
      if (!isFeedAsked) return;
      const { grants } = await views.of(client);
      const feed = catalog.withHeld(grants);
      const latest = tools.map(async (tool) => [tool, (await feed.findLatest(tool))?.version]);
      expect(await Promise.all(latest)).toEqual(expected);
    }

    const all = fc.sample(someStep, { numRuns: count, seed });
    for (const [number, step] of all.entries()) {
      await actions[step.kind](step.tool, step.owner);
      const pulling = number % 25 === 24 ? clients : [clients[step.client] ?? ''];
      for (const client of pulling) await check(client, true);
    }
    for (const client of clients) {
      await fixture.git.run(folders.get(client) ?? '', 'fsck', '--strict', '--no-dangling');
    }
  } finally {
    await fixture.stop();
  }
}

async function readManifests(folder: string): Promise<[tool: string, text: string][]> {
  const names = (await readdir(join(folder, 'bucket'))).filter((name) => name !== '.gitkeep');
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => {
      // The checkout has CRLF, as on Windows.
      const text = await readFile(join(folder, 'bucket', name), 'utf8');
      return [name.replace(/\.json$/, ''), text.replaceAll('\r\n', '\n')];
    }),
  );
}
