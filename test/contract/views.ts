import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareNuGetVersions, parseNuGetVersion } from '../../formats/nuget-version.ts';
import { RolloutPlan } from '../../formats/rollout-plan.ts';
import { operator } from '../../server/audit/audit.ts';
import { positionOf } from '../../server/rollout/position.ts';
import type { StoredRollout } from '../../server/rollout/rollouts.ts';
import type { View } from '../../server/rollout/views.ts';
import { makePackage } from '../kit/new-package.ts';
import { everything } from './catalog.ts';
import type { DatabaseFixture, FeedFixture, OpenFixture } from './database.ts';

const everybody = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };

/** What every database answers to: what does this client see? */
export function describeViews(name: string, open: OpenFixture, walks = 20): void {
  describe(`views of clients in ${name}`, () => {
    let fixture: DatabaseFixture;
    let feed: FeedFixture;
    beforeEach(async () => {
      fixture = await open();
      feed = fixture.feed();
    });
    afterEach(() => fixture.close());

    const by = operator;
    const publish = (version: string, id = 'delve') => feed.catalog.add(makePackage({ id, version }), by);
    const hold = (version: string, id = 'delve') => upload(feed, id, version);
    async function start(version: string, written: unknown = everybody, tool = 'delve') {
      const order = {
        tool,
        packageId: tool,
        version,
        plan: RolloutPlan.parse(written),
        writtenPlan: written,
      };
      return feed.rollouts.start({ ...order, owner: 'ann' }, { by });
    }
    /** Uploads what a rollout needs, and starts it. */
    async function rollOut(version: string, written?: unknown, tool = 'delve'): Promise<StoredRollout> {
      for (const each of [version, `${version}.1-beta.1`, `${version}.1`]) await hold(each, tool);
      const outcome = await start(version, written, tool);
      if (outcome.is !== 'started') throw new Error(JSON.stringify(outcome));
      return outcome.rollout;
    }
    const act = (id: number, kind: 'halt' | 'resume' | 'complete' | 'rollback' | 'advance') =>
      feed.rollouts.act(id, { kind }, { by });
    const seen = ({ grants }: View): string[] =>
      grants.map(({ id, version, isListed }) => `${id} ${version}${isListed ? '' : ' unlisted'}`);
    const seenBy = async (client: string): Promise<string[]> => seen(await feed.views.of(client));
    const inBucket = async (client: string): Promise<string[]> =>
      seen({ key: '', grants: await feed.views.bucketGrants(client) });

    it('are plain without rollouts, and all clients are known afterwards', async () => {
      await publish('1.21.0');

      expect(await feed.views.of('pc-1', '192.0.2.1')).toEqual({ key: '', grants: [] });
      expect(await feed.views.bucketGrants('pc-1')).toEqual([]);
      expect(await fixture.clients().count()).toBe(0);
    });

    it('have the version of each rollout that a client is in', async () => {
      await publish('1.21.0');
      const delve = await rollOut('1.22.0');
      const buf = await rollOut('1.33.0', undefined, 'buf');

      const view = await feed.views.of('pc-1');

      expect(view.key).toBe(`${delve.id},${buf.id}`);
      expect(view.grants).toEqual([
        { tool: 'delve', id: 'delve', rollout: delve.id, version: '1.22.0', isListed: true, is: 'version' },
        { tool: 'buf', id: 'buf', rollout: buf.id, version: '1.33.0', isListed: true, is: 'version' },
      ]);
      expect(await feed.views.of('pc-2')).toBe(view);
      expect(await feed.catalog.find('delve', '1.22.0')).toBeUndefined();
      expect(await feed.catalog.withHeld(view.grants).findLatest('delve')).toMatchObject({
        version: '1.22.0',
      });
    });

    it('change with the rings and the steps that reach a client', async () => {
      await publish('1.21.0');
      await feed.rings.set({ name: 'canary', globs: ['it-*'] }, by);
      await feed.views.of('it-1', '192.0.2.1');
      const clients = fixture.clients();
      clients.see('it-1', undefined);
      await clients.flush();
      const written = { steps: [{ ring: 'canary', hold: '1h', needs: 0 }, ...everybody.steps] };
      const { id } = await rollOut('1.22.0', written);

      expect(await seenBy('it-1')).toEqual(['delve 1.22.0']);
      expect(await seenBy('pc-1')).toEqual([]);
      await feed.rings.set({ name: 'canary', globs: ['pc-1'] }, by);
      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0']);
      expect(await seenBy('it-1')).toEqual(['delve 1.22.0']);
      expect(await seenBy('pc-2')).toEqual([]);
      await act(id, 'advance');
      expect(await seenBy('pc-2')).toEqual(['delve 1.22.0']);
    });

    it('are kept when another package changes, and note a client again that was forgotten', async () => {
      await publish('1.21.0');
      const { id } = await rollOut('1.22.0', { steps: [{ percent: 1, hold: '1h' }, ...everybody.steps] });
      const clientsSeen = async () => (await feed.clients.list({ limit: 10 })).map((client) => client.id);
      expect(await seenBy('pc-1')).toEqual([]);
      await publish('1.0.0', 'buf');
      expect([await seenBy('pc-1'), await clientsSeen()]).toEqual([[], ['pc-1']]);

      expect(await feed.clients.forget('pc-1', by)).toBe('forgotten');
      expect([await clientsSeen(), await seenBy('pc-1'), await clientsSeen()]).toEqual([[], [], ['pc-1']]);
      await act(id, 'advance');
      await publish('1.0.1', 'buf');
      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0']);
      await publish('1.23.0');
      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0']);
    });

    it('let nobody else in after a halt, and the same ones stay', async () => {
      await publish('1.21.0');
      const { id } = await rollOut('1.22.0');
      await feed.views.of('pc-1');
      await act(id, 'halt');

      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0']);
      expect([await seenBy('pc-2'), await inBucket('pc-2')]).toEqual([[], []]);
      await act(id, 'resume');
      // Asking for the bucket's admits, too.
      expect(await inBucket('pc-2')).toEqual(['delve 1.22.0']);
      expect(await seenBy('pc-2')).toEqual(['delve 1.22.0']);
    });

    it('are everybody’s when a rollout is complete: published, the correction gone', async () => {
      await publish('1.21.0');
      const { id } = await rollOut('1.22.0');
      await feed.views.of('pc-1');
      await act(id, 'complete');

      expect([await seenBy('pc-1'), await inBucket('pc-1')]).toEqual([[], []]);
      expect(await feed.catalog.findLatest('delve')).toMatchObject({ version: '1.22.0' });
      for (const gone of ['1.22.0.1', '1.22.0.1-beta.1']) {
        expect(await feed.catalog.isHeld('delve', gone)).toBe(false);
      }
    });

    it('have the correction after a rollback, until main is above it; beta gets its own', async () => {
      await publish('1.21.0');
      await publish('1.22.0-beta.1');
      const { id } = await rollOut('1.22.0');
      await feed.views.of('pc-1');
      await act(id, 'rollback');

      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0 unlisted', 'delve 1.22.0.1']);
      expect(await seenBy('pc-2')).toEqual([]);
      expect(await feed.catalog.find('delve', '1.22.0-beta.1')).toMatchObject({ isListed: false });
      expect(await feed.catalog.find('delve', '1.22.0.1-beta.1')).toMatchObject({ isListed: true });
      await publish('1.21.5');
      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0 unlisted', 'delve 1.22.0.1']);
      await publish('1.23.0');
      expect(await seenBy('pc-1')).toEqual([]);
      // The bucket's main may still be behind.
      expect(await inBucket('pc-1')).toEqual(['delve 1.22.0 unlisted', 'delve 1.22.0.1']);
      expect(await inBucket('pc-2')).toEqual([]);
    });

    it('lose a first version at its rollback, since there is nothing to go back to', async () => {
      await hold('1.22.0');
      const outcome = await start('1.22.0');
      if (outcome.is !== 'started') throw new Error(outcome.is);
      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0']);
      await act(outcome.rollout.id, 'rollback');

      expect(await seenBy('pc-1')).toEqual([]);
    });

    it('keep what a superseded rollout gave, and have the correction when its successor is rolled back', async () => {
      await publish('1.21.0');
      await rollOut('1.22.0');
      await feed.views.of('pc-1');
      const nobody = { steps: [{ percent: 0.01, hold: '1h', needs: 0 }] };
      const { id } = await rollOut('1.22.1', nobody);

      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0']);
      expect(await feed.catalog.isHeld('delve', '1.22.0.1')).toBe(false);
      await act(id, 'rollback');
      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0', 'delve 1.22.1.1']);
      // main comes between the two: the correction is still the highest
      await publish('1.22.0.7');
      expect(await seenBy('pc-1')).toContain('delve 1.22.1.1');
      expect(await seenBy('pc-2')).toEqual([]);
    });

    describe('while a rollout waits for approvals', () => {
      const approve = (id: number) => feed.rollouts.act(id, { kind: 'approve', owner: 'bob' }, { by });
      beforeEach(() => {
        feed = fixture.feed([{ glob: 'delve', owners: 1 }]);
      });

      it('have what the one before gives, which can be taken back', async () => {
        await publish('1.21.0');
        const first = await rollOut('1.22.0');
        await approve(first.id);
        const second = await rollOut('1.23.0');
        expect(await seenBy('pc-1')).toEqual(['delve 1.22.0']);
        await feed.rollouts.act(second.id, { kind: 'reject', owner: 'bob' }, { by });
        expect(await feed.catalog.isHeld('delve', '1.23.0.1')).toBe(false);
        const third = await rollOut('1.24.0');

        await act(first.id, 'rollback');
        expect(await seenBy('pc-1')).toEqual(['delve 1.22.0 unlisted', 'delve 1.22.0.1']);
        await approve(third.id);
        expect(await seenBy('pc-1')).toContain('delve 1.24.0');
      });

      it('get a version only where it can be taken back by then', async () => {
        const [first, second] = ['1.22.0', '1.23.0'];
        const ids: number[] = [];
        for (const version of [first, second]) {
          await hold(version);
          const outcome = await start(version);
          if (outcome.is !== 'started') throw new Error(outcome.is);
          ids.push(outcome.rollout.id);
          if (version === first) await approve(outcome.rollout.id);
        }
        const [before = 0, waiting = 0] = ids;
        await act(before, 'complete');
        await approve(waiting);
        await feed.rollouts.tick();
        expect(await feed.rollouts.find(waiting)).toMatchObject({ state: 'pending' });
        expect(await seenBy('pc-1')).toEqual([]);

        await hold('1.23.0.1');
        await feed.rollouts.correct({ tool: 'delve', version: '1.23.0.1', corrects: second }, { by });
        await feed.rollouts.tick();
        expect(await feed.rollouts.find(waiting)).toMatchObject({ state: 'pending', approvals: [] });
        expect(await seenBy('pc-1')).toEqual([]);
        await approve(waiting);
        expect(await seenBy('pc-1')).toEqual(['delve 1.23.0']);
        await act(waiting, 'rollback');
        expect(await seenBy('pc-1')).toEqual(['delve 1.23.0 unlisted', 'delve 1.23.0.1']);
      });

      it('get a version only with a correction that has the bytes of main by then', async () => {
        await publish('1.21.0');
        const before = await rollOut('1.22.0');
        await approve(before.id);
        const { id } = await rollOut('1.23.0');
        await act(before.id, 'complete');
        await approve(id);
        await feed.rollouts.tick();
        const waiting = (await feed.rollouts.find(id))!;
        expect(waiting).toMatchObject({ state: 'pending', approvals: [{ owner: 'bob' }] });
        expect((await feed.rollouts.details(waiting)).facts.lacksCorrection).toBe(true);

        await hold('1.23.0.2');
        const order = { tool: 'delve', version: '1.23.0.2', corrects: '1.23.0' };
        // it was compared with what main offered before
        const compared = { main: '1.21.0' };
        expect(await feed.rollouts.correct({ ...order, compared }, { by })).toBe('changed');
        const now = { main: await feed.rollouts.main('delve') };
        expect(now).toEqual({ main: '1.22.0' });
        expect(await feed.rollouts.correct({ ...order, compared: now }, { by })).toBe('taken');
        expect(await feed.catalog.isHeld('delve', '1.23.0.1')).toBe(false);
        expect(await feed.rollouts.find(id)).toMatchObject({ state: 'pending', approvals: [] });
        await approve(id);
        expect(await feed.rollouts.find(id)).toMatchObject({ state: 'rolling' });
        await feed.views.of('pc-1');
        await act(id, 'rollback');
        expect(await seenBy('pc-1')).toEqual(['delve 1.23.0 unlisted', 'delve 1.23.0.2']);
      });

      it('get nothing in place of an approved version by one person alone', async () => {
        await hold('1.22.0');
        const outcome = await start('1.22.0');
        if (outcome.is !== 'started') throw new Error(outcome.is);
        const { id } = outcome.rollout;
        await approve(id);
        await feed.views.of('pc-1');
        await hold('1.22.0.1');
        const correct = () =>
          feed.rollouts.correct({ tool: 'delve', version: '1.22.0.1', corrects: '1.22.0' }, { by });
        expect(await correct()).toBe('approved');
        await act(id, 'rollback');

        expect(await correct()).toBe('approved');
        expect(await seenBy('pc-1')).toEqual([]);
      });

      it('have none of a version that a correction is above by then', async () => {
        await publish('1.21.0');
        const first = await rollOut('1.22.0');
        for (const each of ['1.22.0.2', '1.22.0.4', '1.22.0.5']) await hold(each);
        await feed.rollouts.correct({ tool: 'delve', version: '1.22.0.5', corrects: '1.22.0' }, { by });
        await approve(first.id);
        const second = await start('1.22.0.2');
        if (second.is !== 'started') throw new Error(second.is);
        expect((await feed.rollouts.details(second.rollout)).correction).toBe('1.22.0.4');
        await act(first.id, 'rollback');
        await feed.rollouts.tick();

        expect(await feed.rollouts.find(second.rollout.id)).toMatchObject({ state: 'superseded' });
      });
    });

    it('take a correction that was prepared anew, and one more after the rollback', async () => {
      await publish('1.21.0');
      const { id } = await rollOut('1.22.0');
      await feed.views.of('pc-1');
      await publish('1.21.1');
      const correct = (version: string) =>
        feed.rollouts.correct({ tool: 'delve', version, corrects: '1.22.0' }, { by });
      expect(await correct('1.22.0.2')).toBe('unfit');
      await hold('1.22.0.2');
      expect(await correct('1.22.0.2')).toBe('taken');
      expect(await feed.catalog.isHeld('delve', '1.22.0.1')).toBe(false);
      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0']);
      await act(id, 'rollback');
      expect(await seenBy('pc-1')).toEqual(['delve 1.22.0 unlisted', 'delve 1.22.0.2']);
      await hold('1.22.0.3-beta.1');
      await hold('1.22.0.3');
      expect([await correct('1.22.0.3-beta.1'), await correct('1.22.0.3')]).toEqual(['taken', 'taken']);

      expect(await seenBy('pc-1')).toContain('delve 1.22.0.3');
      expect(await feed.catalog.find('delve', '1.22.0.3-beta.1')).toMatchObject({ isListed: true });
      expect(
        await feed.rollouts.correct({ tool: 'buf', version: '1.0.0.1', corrects: '1.0.0' }, { by }),
      ).toBe('missing');
    });

    it('begin only with what is held, and above what is offered', async () => {
      await publish('1.21.0');
      expect(await start('1.22.0')).toEqual({ is: 'not held', lacks: 'version' });
      await hold('1.22.0');
      expect(await start('1.22.0')).toEqual({ is: 'not held', lacks: 'correction' });
      await hold('1.20.0');
      expect(await start('1.20.0')).toEqual({ is: 'not above', offered: '1.21.0' });
      await hold('1.22.0.1');
      expect(await start('1.22.0')).toMatchObject({ is: 'started' });
    });

    it('have no version of one rollout that another one gives at its rollback', async () => {
      await publish('1.21.0');
      await rollOut('1.22.0');
      await hold('1.22.0.2');
      expect(await start('1.22.0.1')).toMatchObject({ is: 'correction', rollout: { version: '1.22.0' } });

      const { rollouts } = feed;
      const correct = (version: string) =>
        rollouts.correct({ tool: 'delve', version, corrects: '1.22.0' }, { by });
      await hold('1.22.0.5');
      expect(await correct('1.22.0.5')).toBe('taken');
      await hold('1.22.0.3');
      await hold('1.22.0.4');
      feed = fixture.feed([{ glob: 'delve', owners: 1 }]);
      expect(await start('1.22.0.3')).toMatchObject({ is: 'started' });
      expect([await correct('1.22.0.3'), await correct('1.22.0.4')]).toEqual(['unfit', 'unfit']);
    });

    it('cannot be put in the place of one that is rolling out', async () => {
      await hold('1.22.0');
      await start('1.22.0');
      // as a database may be that an earlier version of this server wrote
      await feed.catalog.discardHeld('delve', '1.22.0', by);
      await feed.heldManifests.discard('delve', '1.22.0');

      expect(await feed.catalog.hold(makePackage({ id: 'delve', version: '1.22.0' }), by)).toBe('exists');
      expect(await publish('1.22')).toBe('exists');
      const manifest = { tool: 'delve', packageId: 'delve', version: '1.22.0', text: '{}', message: '' };
      expect(await feed.heldManifests.put(manifest)).toBe('other');
    });

    it('are the same after a restart', async () => {
      await publish('1.21.0');
      await rollOut('1.22.0');
      const before = await feed.views.of('pc-1');
      await fixture.reopen();
      feed = fixture.feed();

      expect(await feed.views.of('pc-1')).toEqual(before);
    });

    it('never take from a client what it was offered, whatever happens', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(someStep, { minLength: 40, maxLength: 80, size: 'max' }),
          fc.boolean(),
          async (steps, needsApproval) => {
            const walk = await open();
            try {
              await walkThrough(walk.feed(needsApproval ? [{ glob: 'delve', owners: 1 }] : []), steps);
            } finally {
              await walk.close();
            }
          },
        ),
        { numRuns: walks },
      );
    });
  });
}

const clients = Array.from({ length: 5 }, (_, at) => `pc-${at}`);
/** Most rollouts go on for a while. */
const kinds = ['advance', 'advance', 'advance', 'halt', 'resume', 'resume', 'complete', 'rollback'] as const;
const someStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ is: fc.constant('ask' as const), client: fc.constantFrom(...clients) }),
  },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('start' as const), isApproved: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('decide' as const),
      kind: fc.constantFrom('approve' as const, 'reject' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('promote' as const), isHigher: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('act' as const), kind: fc.constantFrom(...kinds) }) },
);
type Step = typeof someStep extends fc.Arbitrary<infer T> ? T : never;

const percents = [30, 70, 100];
const plan = RolloutPlan.parse({ steps: percents.map((percent) => ({ percent, hold: '1h', needs: 0 })) });

/** What the model knows of a rollout. */
type Modelled = {
  readonly id: number;
  readonly version: string;
  /** Whose machines go first, from its first step on. */
  seed?: string;
  readonly admitted: Set<string>;
};

function isRunning({ state }: StoredRollout): boolean {
  return state === 'rolling' || state === 'halted';
}

/** The model: who was let in, by the formula, and the highest version that each client was offered. */
async function walkThrough(feed: FeedFixture, steps: readonly Step[]): Promise<void> {
  const { catalog, rollouts, views } = feed;
  const by = operator;
  const highest = new Map<string, string>();
  const all: Modelled[] = [];
  let [minor, main] = [1, '1.1.0'];
  const add = (version: string) => catalog.add(makePackage({ id: 'delve', version }), by);
  const hold = (version: string) => upload(feed, 'delve', version);
  await add(main);

  async function prepareCorrections(): Promise<void> {
    for (const { version, state } of await rollouts.list('delve')) {
      if (!['pending', 'rolling', 'halted', 'rolled-back'].includes(state) || compare(version, main) < 0)
        continue;
      for (let number = 1; ; number += 1) {
        const correction = `${version}.${number}`;
        if ((await hold(correction)) !== 'held') continue;
        await rollouts.correct({ tool: 'delve', version: correction, corrects: version }, { by });
        break;
      }
    }
  }

  /** About the one that waits; while it does, it takes nothing from the one before. */
  async function decide(kind: 'approve' | 'reject'): Promise<void> {
    const open = await rollouts.listOpen();
    const pending = open.find(({ state }) => state === 'pending');
    if (pending === undefined) return;
    const outcome = await rollouts.act(pending.id, { kind, owner: 'bob' }, { by });
    expect(outcome?.refusal).toBeUndefined();
    const running = (await rollouts.listOpen()).map(({ id }) => id);
    expect(running).toEqual(kind === 'approve' ? [pending.id] : open.filter(isRunning).map(({ id }) => id));
  }

  for (const step of steps) {
    if (step.is === 'start') {
      const running = (await rollouts.listOpen()).filter(isRunning);
      minor += 1;
      const version = `1.${minor}.0`;
      for (const each of [version, `${version}.1`]) await hold(each);
      const order = { tool: 'delve', packageId: 'delve', version, plan, writtenPlan: {}, owner: 'ann' };
      // The words of the plan are read again with each row.
      const outcome = await rollouts.start(
        { ...order, writtenPlan: { steps: percents.map((percent) => ({ percent, hold: '1h', needs: 0 })) } },
        { by },
      );
      if (outcome.is !== 'started') throw new Error(outcome.is);
      all.push({ id: outcome.rollout.id, version, admitted: new Set() });
      const isPending = outcome.rollout.state === 'pending';
      const goOn = isPending ? running : [outcome.rollout];
      expect((await rollouts.listOpen()).filter(isRunning).map(({ id }) => id)).toEqual(
        goOn.map(({ id }) => id),
      );
      if (step.isApproved) await decide('approve');
    } else if (step.is === 'decide') {
      await decide(step.kind);
    } else if (step.is === 'promote') {
      // Lower than what is rolling out, or higher, by hand.
      if (step.isHigher) minor += 1;
      const last = parseNuGetVersion(main)?.numbers ?? [0, 0, 0, 0];
      main = step.isHigher ? `1.${minor}.0` : `1.${last[1]}.${last[2] + 1}`;
      await add(main);
      await prepareCorrections();
      await rollouts.tick();
    } else if (step.is === 'act') {
      const [newest, ...others] = await rollouts.list('delve');
      // While one waits for approvals, the one before it goes on.
      const current = newest?.state === 'pending' ? others.find(isRunning) : newest;
      if (current === undefined) continue;
      const outcome = await rollouts.act(current.id, { kind: step.kind }, { by });
      if (outcome?.rollout.state === 'completed' && outcome.refusal === undefined)
        main = higher(main, current.version);
      // what others approve has the bytes of main
      await prepareCorrections();
    } else {
      const { client } = step;
      for (const one of all) {
        const { state, step: reached, seed } = (await rollouts.find(one.id)) as StoredRollout;
        if (state === 'rolling') one.seed ??= seed;
        const isReached = positionOf(one.seed ?? seed, client) < (percents[reached] ?? 0) * 100;
        if (state === 'rolling' && isReached) one.admitted.add(client);
      }
      const view = await views.of(client);
      expect(await views.of(client)).toEqual(view);
      const isIn = all.filter(({ admitted }) => admitted.has(client)).map(({ version }) => version);
      const versions = view.grants.filter(({ is }) => is === 'version').map(({ version }) => version);
      expect(isIn).toEqual(expect.arrayContaining(versions));
      const offered = (await catalog.withHeld(view.grants).findLatest('delve'))?.version ?? '';
      expect(compare(offered, highest.get(client) ?? main)).toBeGreaterThanOrEqual(0);
      expect(compare(offered, main)).toBeGreaterThanOrEqual(0);
      for (const one of all) {
        const { state } = (await rollouts.find(one.id)) as StoredRollout;
        if (!one.admitted.has(client) || !['rolling', 'halted'].includes(state)) continue;
        expect(compare(offered, one.version)).toBeGreaterThanOrEqual(0);
      }
      highest.set(client, offered);
    }
    const plain = await catalog.query({ ...everything, id: 'delve' });
    expect(plain.map(({ version }) => version)).not.toContain(
      (await rollouts.list('delve')).find(({ state }) => ['rolling', 'halted'].includes(state))?.version,
    );
    expect((await catalog.findLatest('delve'))?.version).toBe(main);
  }
}

/** A package and its manifest, held. */
async function upload({ catalog, heldManifests }: FeedFixture, tool: string, version: string) {
  const [corrects] = /^\d+\.\d+\.\d+(?=\.)/.exec(version) ?? [];
  await heldManifests.put({ tool, version, packageId: tool, text: version, message: version, corrects });
  return catalog.hold(makePackage({ id: tool, version }), operator);
}

function higher(one: string, other: string): string {
  return compare(one, other) > 0 ? one : other;
}

function compare(one: string, other: string): number {
  const [first, second] = [parseNuGetVersion(one), parseNuGetVersion(other)];
  return first === undefined || second === undefined ? Number.NaN : compareNuGetVersions(first, second);
}
