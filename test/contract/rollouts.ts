import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../formats/rollout-plan.ts';
import { operator } from '../../server/audit/audit.ts';
import type { Alert } from '../../server/rollout/alerts.ts';
import { positionOf } from '../../server/rollout/position.ts';
import type { AlertSender, NewRollout, Rollouts, StoredRollout } from '../../server/rollout/rollouts.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

const writtenPlan = {
  steps: [
    { percent: 10, hold: '1m', needs: 0 },
    { percent: 50, hold: '1m' },
  ],
};

function orderOf(version = '1.22.0', changes: Partial<NewRollout> & { written?: unknown } = {}): NewRollout {
  const { written = writtenPlan, ...rest } = changes;
  const plan = RolloutPlan.parse(written);
  return { tool: 'delve', packageId: 'delve', version, plan, writtenPlan: written, owner: 'ann', ...rest };
}

function alertOf(changes: Partial<Alert> & { tool?: string } = {}): Alert {
  const { tool = 'delve', ...rest } = changes;
  return {
    status: 'firing',
    labels: { alertname: 'ErrorRatio', tool },
    startsAt: Date.parse('2026-01-01T00:00:30Z'),
    fingerprint: 'f1',
    ...rest,
  };
}

/** What every database does with rollouts. */
export function describeRollouts(name: string, open: OpenFixture): void {
  describe(`rollouts in ${name}`, () => {
    let fixture: DatabaseFixture;
    let rollouts: Rollouts;
    beforeEach(async () => {
      fixture = await open();
      rollouts = fixture.rollouts();
    });
    afterEach(() => fixture.close());

    const by = { keyId: 'k1', keyName: 'ops', from: '192.0.2.1' };
    const alertmanager: AlertSender = { by: { ...by, keyId: 'k2', keyName: 'alerts' }, ids: [] };
    const pass = (seconds: number): void => {
      fixture.time = new Date(fixture.time.getTime() + seconds * 1000);
    };
    async function started(...args: Parameters<typeof orderOf>): Promise<StoredRollout> {
      const outcome = await rollouts.start(orderOf(...args), { by, reason: 'new' });
      if (outcome.is !== 'started') throw new Error(outcome.is);
      return outcome.rollout;
    }
    async function run(seconds: number): Promise<void> {
      for (let at = 0; at < seconds; at += 10) {
        pass(10);
        await rollouts.tick();
      }
    }
    const now = async (id: number): Promise<StoredRollout> => (await rollouts.find(id))!;
    /** The first client ids whose position lies in these bounds, in hundredths of a percent. */
    function clientsIn(from: number, to: number, count: number, seed = 'delve/1.22.0'): string[] {
      const found: string[] = [];
      for (let number = 0; found.length < count; number += 1) {
        const position = positionOf(seed, `pc-${number}`);
        if (position >= from && position < to) found.push(`pc-${number}`);
      }
      return found;
    }

    it('starts one, keeps it over a restart, and says who did it and why', async () => {
      const { id } = await started();
      await fixture.reopen();
      rollouts = fixture.rollouts();

      expect(await rollouts.list('delve')).toEqual([await now(id)]);
      expect(await rollouts.list('buf')).toEqual([]);
      expect(await now(id)).toMatchObject({
        ...{ tool: 'delve', packageId: 'delve', version: '1.22.0', seed: 'delve/1.22.0', owner: 'ann' },
        ...{ state: 'rolling', step: 0, approvals: [], writtenPlan },
        plan: RolloutPlan.parse(writtenPlan),
      });
      expect((await rollouts.details(await now(id))).history).toEqual([
        { at: fixture.time.getTime(), by: 'ops', action: 'start', reason: 'new' },
      ]);
      expect(await fixture.audit().list({ subject: 'delve', limit: 10 })).toMatchObject([
        {
          change: {
            kind: 'rollout started',
            version: '1.22.0',
            detail: 'start: rolling, step 1 of 2; new',
          },
          by,
        },
      ]);
    });

    it('goes on by itself, in time that passes while it is looked at', async () => {
      const { id } = await started('1.22.0', { written: { steps: [{ percent: 10, hold: '1m', needs: 0 }] } });
      await run(50);
      expect(await now(id)).toMatchObject({ state: 'rolling', step: 0 });
      await run(10);

      expect(await now(id)).toMatchObject({ state: 'completed', step: 0 });
      const { history } = await rollouts.details(await now(id));
      expect(history.map(({ by: who, action }) => `${who}: ${action}`)).toEqual([
        'ops: start',
        'server: complete',
      ]);
    });

    it('counts no hold while nobody looks, and goes on where it was', async () => {
      const { id } = await started();
      await run(20);
      await fixture.reopen();
      rollouts = fixture.rollouts();
      pass(24 * 3600);
      await rollouts.tick();
      expect(await now(id)).toMatchObject({ step: 0, held: 50_000 });
      await run(10);

      expect(await now(id)).toMatchObject({ state: 'rolling', step: 1 });
    });

    it('keeps what is done to one rollout while time passes for another', async () => {
      const first = await started();
      await run(50);
      const second = await started('1.33.0', { tool: 'buf', packageId: 'buf' });
      pass(10);

      const ticking = rollouts.tick();
      await rollouts.act(second.id, { kind: 'rollback' }, { by });

      expect((await ticking).map(({ id, step }) => [id, step])).toEqual([[first.id, 1]]);
      expect(await now(second.id)).toMatchObject({ state: 'rolled-back' });
    });

    it('is started once, and again it is the same', async () => {
      const { id } = await started();
      const request = { by: operator };

      expect(await rollouts.start(orderOf('1.22.0.0'), request)).toMatchObject({
        is: 'there',
        rollout: { id },
      });
      expect(await rollouts.start(orderOf('1.21.9'), request)).toMatchObject({
        is: 'lower',
        rollout: { id },
      });
      await rollouts.act(id, { kind: 'rollback' }, request);
      expect(await rollouts.start(orderOf(), request)).toMatchObject({ is: 'ended', rollout: { id } });
      expect(await rollouts.list()).toHaveLength(1);
    });

    it('supersedes a lower one of the tool, whose machines are first again', async () => {
      const first = await started();
      const other = await started('1.33.0', { tool: 'buf', packageId: 'buf' });
      const second = await started('1.22.1');

      expect(await now(first.id)).toMatchObject({ state: 'superseded' });
      expect(await now(other.id)).toMatchObject({ state: 'rolling', seed: 'buf/1.33.0' });
      expect(second).toMatchObject({ seed: 'delve/1.22.0', state: 'rolling' });
      expect((await rollouts.details(await now(first.id))).history.at(-1)).toMatchObject({
        action: 'supersede',
        reason: 'by 1.22.1',
      });
    });

    it.each([
      ['rollback', 'delve/1.22.0'],
      ['complete', 'delve/1.23.0'],
    ] as const)('after a %s the next one has the seed %s', async (kind, seed) => {
      const { id } = await started();
      await rollouts.act(id, { kind }, { by });

      expect(await started('1.23.0')).toMatchObject({ seed });
    });

    it('leaves rejected ones out of the line of seeds', async () => {
      const first = await started();
      rollouts = fixture.rollouts(1);
      const second = await started('1.22.1');
      await rollouts.act(second.id, { kind: 'reject', owner: 'bob' }, { by });

      expect(await now(first.id)).toMatchObject({ state: 'rolling' });
      expect(await now(second.id)).toMatchObject({ state: 'rejected' });
      expect(await started('1.22.1')).toMatchObject({ seed: 'delve/1.22.0', state: 'pending' });
    });

    describe('while one waits for approvals', () => {
      let first: StoredRollout;
      let second: StoredRollout;
      const approve = (id: number) => rollouts.act(id, { kind: 'approve', owner: 'bob' }, { by });
      beforeEach(async () => {
        first = await started();
        rollouts = fixture.rollouts(1);
        await approve(first.id);
        second = await started('1.22.1');
      });

      it('lets the one before go on, and ends it with the last approval', async () => {
        await rollouts.act(first.id, { kind: 'advance' }, { by });
        await rollouts.act(first.id, { kind: 'halt' }, { by });
        await fixture.reopen();
        rollouts = fixture.rollouts(1);
        expect(await now(first.id)).toMatchObject({ state: 'halted', step: 1 });
        expect(await rollouts.listOpen()).toMatchObject([
          { id: first.id },
          { id: second.id, state: 'pending' },
        ]);

        expect(await approve(second.id)).toMatchObject({ rollout: { state: 'rolling', seed: first.seed } });
        expect(await now(first.id)).toMatchObject({ state: 'superseded' });
        expect((await rollouts.details(await now(first.id))).history.at(-1)).toMatchObject({
          ...{ by: 'ops', action: 'supersede', reason: 'by 1.22.1' },
        });
      });

      it('takes the place of it with a further start, and of no other', async () => {
        const third = await started('1.22.2');

        expect(await now(second.id)).toMatchObject({ state: 'superseded' });
        expect(await now(first.id)).toMatchObject({ state: 'rolling' });
        expect((await rollouts.start(orderOf('1.22.1.1'), { by })).is).toBe('lower');
        expect((await rollouts.start(orderOf(), { by })).is).toBe('there');
        await approve(third.id);
        expect(await rollouts.listOpen()).toMatchObject([{ id: third.id, state: 'rolling' }]);
      });

      it('ends both with a start that waits for nobody', async () => {
        rollouts = fixture.rollouts(0);
        const third = await started('1.22.2');

        expect(await rollouts.listOpen()).toMatchObject([{ id: third.id, state: 'rolling' }]);
      });

      it('begins by itself where approvals are not asked for any more', async () => {
        rollouts = fixture.rollouts(0);
        await rollouts.tick();

        expect(await rollouts.listOpen()).toMatchObject([{ id: second.id, state: 'rolling' }]);
        expect((await rollouts.details(await now(first.id))).history.at(-1)?.by).toBe('server');
      });

      it('draws its machines afresh where the one before is completed', async () => {
        await rollouts.act(first.id, { kind: 'complete' }, { by });
        expect(await now(second.id)).toMatchObject({ state: 'pending', seed: 'delve/1.22.1' });

        expect(await approve(second.id)).toMatchObject({ rollout: { state: 'rolling' } });
        expect(await now(first.id)).toMatchObject({ state: 'completed' });
      });

      it.each([
        ['rollback', 'rolled-back', 'rolled-back'],
        ['halt', 'halted', 'superseded'],
      ] as const)('keeps the machines after a %s of the one before', async (kind, state, ended) => {
        await rollouts.act(first.id, { kind }, { by });
        expect(await now(first.id)).toMatchObject({ state });

        const { rollout } = (await approve(second.id)) ?? {};
        expect(rollout).toMatchObject({ state: 'rolling', seed: 'delve/1.22.0' });
        expect(await now(first.id)).toMatchObject({ state: ended });
      });
    });

    it('waits for other owners, one person being one, however many keys are theirs', async () => {
      rollouts = fixture.rollouts(2);
      const { id } = await started();
      const approve = (owner?: string) => rollouts.act(id, { kind: 'approve', owner }, { by });

      expect((await approve('ann'))?.refusal).toBe('same-owner');
      expect((await approve())?.refusal).toBe('no-owner');
      expect(await approve('bob')).toMatchObject({ rollout: { state: 'pending' } });
      expect((await approve('bob'))?.refusal).toBe('same-owner');
      expect((await rollouts.act(id, { kind: 'advance' }, { by }))?.refusal).toBe('state');
      pass(5);
      expect(await approve('cem')).toMatchObject({ rollout: { state: 'rolling', step: 0 } });

      expect(await now(id)).toMatchObject({
        begunAt: fixture.time.getTime(),
        approvals: [
          { owner: 'bob', at: fixture.time.getTime() - 5000 },
          { owner: 'cem', at: fixture.time.getTime() },
        ],
      });
    });

    it('lets one of two who advance it at once win, and a halt always', async () => {
      const { id } = await started();
      const seen = await now(id);
      const advance = () => rollouts.act(id, { kind: 'advance' }, { by }, seen);
      const halt = () => rollouts.act(id, { kind: 'halt' }, { by });

      const both = await Promise.all([advance(), advance()]);
      expect(both.map((outcome) => outcome?.refusal)).toEqual([undefined, 'moved']);
      expect(both[1]?.rollout).toMatchObject({ state: 'rolling', step: 1 });

      const again = await now(id);
      const [late, halted] = await Promise.all([rollouts.act(id, { kind: 'advance' }, { by }, seen), halt()]);
      expect([late?.refusal, halted?.refusal]).toEqual(['moved', undefined]);
      expect((await rollouts.act(id, { kind: 'complete' }, { by }, again))?.refusal).toBe('moved');
      expect(await now(id)).toMatchObject({ state: 'halted', step: 1 });
      expect((await rollouts.act(id, { kind: 'halt' }, { by }))?.refusal).toBe('state');
      expect(await rollouts.act(99, { kind: 'halt' }, { by })).toBeUndefined();
    });

    it('writes nothing for what is refused', async () => {
      const { id } = await started();
      const before = await fixture.audit().head();
      await rollouts.act(id, { kind: 'resume' }, { by });

      expect(await fixture.audit().head()).toEqual(before);
      expect((await rollouts.details(await now(id))).history).toHaveLength(1);
    });

    describe('admits clients', () => {
      it('that a step reaches, for good, and counts them', async () => {
        const [low = '', other = ''] = clientsIn(0, 1000, 2);
        const [middle = ''] = clientsIn(1000, 5000, 1);
        const [high = ''] = clientsIn(5000, 10_000, 1);
        const clients = fixture.clients();
        for (const id of [low, other, middle, high]) clients.see(id, undefined);
        await clients.flush();
        const { id } = await started();

        expect([await rollouts.admit(low), await rollouts.admit(low)]).toEqual([[id], [id]]);
        expect(await rollouts.admit(middle)).toEqual([]);
        await rollouts.receive(low, id);
        expect((await rollouts.details(await now(id))).counts).toEqual({
          ...{ known: 4, eligible: 2, admitted: 1, received: 1 },
        });

        await rollouts.act(id, { kind: 'advance' }, { by });
        expect([await rollouts.admit(middle), await rollouts.admit(high)]).toEqual([[id], []]);
        expect((await rollouts.details(await now(id))).counts).toEqual({
          ...{ known: 4, eligible: 3, admitted: 2, received: 1 },
        });
      });

      it('durably before any of their requests is answered', async () => {
        const [low = ''] = clientsIn(0, 1000, 1);
        const rollout = await started();
        let isDurable = false;
        const first = rollouts.admit(low).then(() => {
          isDurable = true;
        });
        while ((await rollouts.details(rollout)).counts.admitted === 0) await Promise.resolve();

        await rollouts.admit(low);
        if (fixture.isShared) {
          // The second call may learn of the commit before the first one returns, so ask both servers.
          for (const server of [fixture.rollouts(), fixture.rollouts()])
            expect((await server.details(rollout)).counts.admitted).toBe(1);
        } else {
          // Both wait for the same write; the disk would take more turns than these.
          for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
          expect(isDurable).toBe(true);
        }
        await first;
      });

      it('of a ring, and knows them from then on', async () => {
        await fixture.rings().set({ name: 'canary', globs: ['it-*', 'pc-1'] }, operator);
        const plan = { steps: [{ ring: 'canary', hold: '1m' }] };
        const order = orderOf('1.22.0', { written: plan });
        expect(await rollouts.start(order, { by })).toEqual({ is: 'empty ring', ring: 'canary' });
        const clients = fixture.clients();
        clients.see('it-7', undefined);
        await clients.flush();
        const { id } = await started('1.22.0', { written: plan });

        expect(await rollouts.admit('pc-1')).toEqual([id]);
        expect(await rollouts.admit('pc-2')).toEqual([]);
        expect(await fixture.clients().find('pc-1')).toBeDefined();
        expect(await fixture.clients().forget('pc-1', operator)).toBe('admitted');
        await rollouts.act(id, { kind: 'rollback' }, { by });
        expect(await fixture.clients().forget('pc-1', operator)).toBe('forgotten');
      });

      it('to every rollout that they are eligible for', async () => {
        const written = { steps: [{ percent: 100, hold: '1m' }] };
        const first = await started('1.22.0', { written });
        const second = await started('1.33.0', { written, tool: 'buf', packageId: 'buf' });

        expect(await rollouts.admit('pc-1')).toEqual([first.id, second.id]);
        expect(await fixture.rollouts().admit('pc-1')).toEqual([first.id, second.id]);
      });

      it('not after a halt, and all the same ones after a resume', async () => {
        const written = { steps: [{ percent: 100, hold: '1m' }] };
        const { id } = await started('1.22.0', { written });
        await rollouts.admit('pc-1');
        const asked = Array.from({ length: 50 }, (_, at) => rollouts.admit(`before-${at}`));
        const halting = rollouts.act(id, { kind: 'halt' }, { by });
        const late = Array.from({ length: 50 }, (_, at) => rollouts.admit(`late-${at}`));
        await halting;
        const { admitted } = (await rollouts.details(await now(id))).counts;
        const after = await rollouts.admit('after');
        await Promise.all([...asked, ...late]);

        expect(after).toEqual([]);
        expect((await rollouts.details(await now(id))).counts.admitted).toBe(admitted);
        expect(await rollouts.admit('pc-1')).toEqual([id]);
        await rollouts.act(id, { kind: 'resume' }, { by });
        expect(await rollouts.admit('after')).toEqual([id]);
      });

      it('to nothing where nothing is open', async () => {
        const before = await fixture.audit().head();

        expect(await rollouts.admit('pc-1')).toEqual([]);
        expect(await fixture.clients().count()).toBe(0);
        expect(await fixture.audit().head()).toEqual(before);
      });
    });

    it('waits for evidence from those that it admitted', async () => {
      const written = { steps: [{ percent: 100, hold: '10s' }] };
      const { id } = await started('1.22.0', { written });
      await rollouts.admit('pc-1');
      await run(60);
      expect(await now(id)).toMatchObject({ state: 'rolling' });
      await rollouts.receive('pc-1', id);
      await rollouts.receive('pc-2', id);
      await run(10);

      expect(await now(id)).toMatchObject({ state: 'completed' });
    });

    describe('takes alerts', () => {
      const watchdog = (startsAt = 0): Alert => ({
        status: 'firing',
        labels: { alertname: 'Watchdog' },
        startsAt,
        fingerprint: 'w',
      });

      it.each([
        ['halt', 'halted'],
        ['rollback', 'rolled-back'],
      ])('that concern it: %s', async (onAlert, state) => {
        const { id } = await started('1.22.0', { written: { ...writtenPlan, onAlert } });
        const other = await started('1.33.0', { tool: 'buf', packageId: 'buf' });
        pass(60);

        const changed = await rollouts.takeAlerts([alertOf({ tool: 'gopls' }), alertOf()], alertmanager);

        expect(changed).toMatchObject([{ id, state }]);
        expect(await now(other.id)).toMatchObject({ state: 'rolling' });
        const { alerts, history } = await rollouts.details(await now(id));
        expect(alerts).toEqual([
          {
            ...{ at: fixture.time.getTime(), fingerprint: 'f1', outcome: state },
            labels: { alertname: 'ErrorRatio', tool: 'delve' },
            startsAt: alertOf().startsAt,
          },
        ]);
        expect(history.at(-1)).toMatchObject({ by: 'alerts', action: 'alert', reason: 'alert ErrorRatio' });
      });

      it('once: who resumed knew of it; but one that began anew acts again', async () => {
        const { id } = await started();
        pass(60);
        await rollouts.takeAlerts([alertOf()], alertmanager);
        await rollouts.act(id, { kind: 'resume' }, { by });

        expect(await rollouts.takeAlerts([alertOf()], alertmanager)).toEqual([]);
        expect(await now(id)).toMatchObject({ state: 'rolling' });
        const anew = alertOf({ startsAt: alertOf().startsAt + 60_000 });
        expect(await rollouts.takeAlerts([anew], alertmanager)).toMatchObject([{ state: 'halted' }]);
      });

      it('and lets the halt win against an advance', async () => {
        const { id } = await started();
        pass(60);
        const seen = await now(id);
        const race = [
          rollouts.act(id, { kind: 'advance' }, { by }, seen),
          rollouts.takeAlerts([alertOf()], alertmanager),
          rollouts.act(id, { kind: 'advance' }, { by }, seen),
        ] as const;

        const [first, , last] = await Promise.all(race);
        expect([first?.refusal, last?.refusal]).toEqual([undefined, 'moved']);
        expect(await now(id)).toMatchObject({ state: 'halted', step: 1 });
      });

      it('that began before it: they block the start until they are resolved, or a day old', async () => {
        await rollouts.takeAlerts([alertOf()], alertmanager);
        await fixture.reopen();
        rollouts = fixture.rollouts();
        pass(120);
        expect(await rollouts.start(orderOf(), { by })).toMatchObject({
          is: 'alerting',
          alert: { labels: { alertname: 'ErrorRatio' } },
        });
        await rollouts.takeAlerts([alertOf({ status: 'resolved' })], alertmanager);
        const { id } = await started();
        await rollouts.takeAlerts([alertOf()], alertmanager);
        expect(await now(id)).toMatchObject({ state: 'rolling' });
        expect((await rollouts.start(orderOf('1.23.0'), { by })).is).toBe('alerting');
        pass(24 * 3600);
        expect((await rollouts.start(orderOf('1.23.0'), { by })).is).toBe('started');
      });

      it('that fire when the last approval comes: it waits for their end', async () => {
        rollouts = fixture.rollouts(1);
        const { id } = await started();
        await rollouts.takeAlerts([alertOf()], alertmanager);
        await rollouts.act(id, { kind: 'approve', owner: 'bob' }, { by });
        expect(await now(id)).toMatchObject({ state: 'pending' });
        await rollouts.takeAlerts([alertOf({ status: 'resolved' })], alertmanager);
        await rollouts.tick();

        expect(await now(id)).toMatchObject({ state: 'rolling' });
      });

      it('as far as the key goes that sends them', async () => {
        const limited: AlertSender = { by: { ...by, keyId: 'k3' }, ids: ['buf*'] };
        const { id } = await started();
        pass(60);

        expect(await rollouts.takeAlerts([alertOf()], limited)).toEqual([]);
        expect(await now(id)).toMatchObject({ state: 'rolling' });
        expect(await rollouts.foresee(orderOf('1.23.0'))).toBeUndefined();
        await rollouts.takeAlerts([alertOf(), watchdog()], limited);
        expect((await rollouts.details(await now(id))).facts.heartbeat).toBeUndefined();
        // and what it says to be over may fire on for others
        await rollouts.act(id, { kind: 'halt' }, { by });
        await rollouts.takeAlerts([alertOf()], alertmanager);
        await rollouts.takeAlerts([alertOf({ status: 'resolved' })], limited);
        expect(await rollouts.foresee(orderOf('1.23.0'))).toMatchObject({ is: 'alerting' });
      });

      describe('alerts of whoever means no good', () => {
        const foo: AlertSender = { by: { ...by, keyId: 'k3', keyName: 'foo' }, ids: ['foo'] };
        const future = Date.parse('2099-01-01T00:00:00Z');
        const start = async () => (await rollouts.start(orderOf(), { by })).is;

        it('have begun by now, at the latest, and grow old', async () => {
          await rollouts.takeAlerts([alertOf({ startsAt: future })], alertmanager);
          expect(await start()).toBe('alerting');
          pass(13 * 3600);
          await rollouts.takeAlerts([alertOf({ startsAt: future })], alertmanager);
          pass(13 * 3600);

          expect(await start()).toBe('started');
        });

        it('act once, even from the future', async () => {
          const { id } = await started();
          const again = () => rollouts.takeAlerts([alertOf({ startsAt: future })], alertmanager);
          expect(await again()).toMatchObject([{ state: 'halted' }]);
          pass(60);
          await rollouts.act(id, { kind: 'resume' }, { by });

          expect(await again()).toEqual([]);
        });

        it('push out none of another key', async () => {
          await rollouts.takeAlerts([alertOf()], alertmanager);
          const flood = Array.from({ length: 10_001 }, (_, number) =>
            alertOf({ fingerprint: `x${number}`, startsAt: fixture.time.getTime() + 59_000 }),
          );
          await rollouts.takeAlerts(flood, foo);

          expect(await start()).toBe('alerting');
        });

        it('are found by labels with any characters, and taken for no others', async () => {
          const service = 'a "quoted" \\ name, ü';
          const order = orderOf('1.22.0', { written: { ...writtenPlan, match: { service, job: 'x' } } });
          const foreseen = async (labels: Alert['labels']) => {
            await rollouts.takeAlerts([alertOf({ labels })], alertmanager);
            return (await rollouts.foresee(order))?.is;
          };

          expect(await foreseen({ service })).toBeUndefined();
          expect(await foreseen({ job: 'x', other: `"service":${JSON.stringify(service)}` })).toBeUndefined();
          expect(await foreseen({ service, job: 'x' })).toBe('alerting');
        });

        it('are named in one line, without terminal controls', async () => {
          const { id } = await started();
          const labels = { tool: 'delve', alertname: 'Error\n\u001b[2Jrolled back by \u202eann\u0000' };
          await rollouts.takeAlerts([alertOf({ labels })], alertmanager);

          const { history } = await rollouts.details(await now(id));
          expect(history.at(-1)?.reason).toBe('alert Error [2Jrolled back by ann');
        });

        it('are kept with a few KiB of labels, their name and short ones first', async () => {
          const { id } = await started();
          const long = Object.fromEntries(
            Array.from({ length: 97 }, (_, number) => [`a${number}`, 'x'.repeat(4000)]),
          );
          const labels = { ...long, tool: 'delve', alertname: 'ErrorRatio' };
          await rollouts.takeAlerts([alertOf({ labels })], alertmanager);

          const [kept] = (await rollouts.details(await now(id))).alerts;
          expect(kept?.labels).toMatchObject({ alertname: 'ErrorRatio', tool: 'delve' });
          expect(JSON.stringify(kept?.labels).length).toBeLessThan(5000);
        });
      });

      it('of which Watchdog is the heartbeat', async () => {
        const { id } = await started('1.22.0', { written: { ...writtenPlan, heartbeat: '15m' } });
        expect(await now(id)).toMatchObject({ state: 'rolling', step: -1 });
        await rollouts.takeAlerts([watchdog()], alertmanager);
        expect((await rollouts.details(await now(id))).facts.heartbeat).toBe(fixture.time.getTime());
        await rollouts.tick();

        expect(await now(id)).toMatchObject({ step: 0 });
      });
    });
  });
}
