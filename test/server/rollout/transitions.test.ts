import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { longestTickMs } from '../../../server/rollout/hold.ts';
import { isOpen, type Rollout, type RolloutState, reachedBy } from '../../../server/rollout/rollout.ts';
import { act, begun, type RolloutAction, type RolloutRefusal } from '../../../server/rollout/transitions.ts';
import { nextStepAt, type RolloutFacts, waitOf } from '../../../server/rollout/waits.ts';

const minute = 60_000;
const monday = Date.parse('2026-11-30T09:00:00Z');
const plan = RolloutPlan.parse({
  steps: [
    { ring: 'canary', hold: '1m' },
    { percent: 10, hold: '2m', needs: 5 },
    { percent: 50, hold: '1m' },
  ],
});

const facts = (changes: Partial<RolloutFacts> = {}): RolloutFacts => ({
  now: monday,
  approvalsNeeded: 0,
  received: 100,
  heartbeat: undefined,
  isAlerting: false,
  lacksCorrection: false,
  ...changes,
});

function done(result: Rollout | RolloutRefusal): Rollout {
  if (typeof result === 'string') throw new Error(`refused: ${result}`);
  return result;
}

/** Ticks of ten seconds until `ms` have passed. */
function run(rollout: Rollout, ms: number, changes: Partial<RolloutFacts> = {}): Rollout {
  let now = rollout.countedTo;
  let running = rollout;
  for (const end = now + ms; now < end; ) {
    now += 10_000;
    running = done(act(running, { kind: 'tick' }, facts({ ...changes, now })));
  }
  return running;
}

const start = (changes: Partial<RolloutFacts> = {}, owner = 'ann'): Rollout =>
  begun({ plan, owner }, facts(changes));

it('begins its next step at the same time, whenever it is asked between two ticks', () => {
  const rollout = begun({ plan, owner: 'ann' }, facts());
  const expected = monday + minute;

  for (const passed of [0, 4_000, 9_999, longestTickMs]) {
    expect(nextStepAt(rollout, facts({ now: monday + passed }))).toBe(expected);
  }
  // no server ran meanwhile
  expect(nextStepAt(rollout, facts({ now: monday + 50 * minute }))).toBe(
    monday + 51 * minute - longestTickMs,
  );
});

describe('a rollout', () => {
  it('begins its steps one after the other, and then everybody has it', () => {
    const first = start();
    expect([first.state, first.step]).toEqual(['rolling', 0]);
    expect(reachedBy(first)).toEqual({ rings: ['canary'], percent: 0 });
    expect(run(first, minute - 10_000).step).toBe(0);
    const second = run(first, minute);
    expect(reachedBy(second)).toEqual({ rings: ['canary'], percent: 10 });
    const third = run(second, 2 * minute);
    expect(reachedBy(third)).toEqual({ rings: ['canary'], percent: 50 });
    expect(run(third, minute).state).toBe('completed');
  });

  it('waits for evidence from those that a step reached, however long', () => {
    const second = run(start(), minute);
    const waiting = run(second, 60 * minute, { received: 4 });
    expect([waiting.step, waitOf(waiting, facts({ now: waiting.countedTo, received: 4 }))]).toEqual([
      1,
      'evidence',
    ]);
    expect(run(waiting, 10_000, { received: 5 }).step).toBe(2);
  });

  it('counts no hold while it is halted, and resumes at the same step', () => {
    const halfway = run(start(), 30_000);
    const halted = done(act(halfway, { kind: 'halt' }, facts({ now: halfway.countedTo })));
    const later = run(halted, 60 * minute);
    expect([later.state, later.step]).toEqual(['halted', 0]);
    const resumed = done(act(later, { kind: 'resume' }, facts({ now: later.countedTo })));
    expect(run(resumed, 20_000).step).toBe(0);
    expect(run(resumed, 30_000).step).toBe(1);
  });

  it('goes on where it was after a day without a server', () => {
    const halfway = run(start(), 20_000);
    const back = done(act(halfway, { kind: 'tick' }, facts({ now: halfway.countedTo + 24 * 60 * minute })));
    expect([back.step, back.held]).toEqual([0, 20_000 + longestTickMs]);
  });

  it('begins a step only in its window, and says when that opens', () => {
    const windowed = { ...plan, window: ['Mon 08:00-09:01 UTC'] };
    const first = begun({ plan: windowed, owner: 'ann' }, facts());
    expect(first.step).toBe(0);
    const waiting = run(first, 5 * minute);
    const now = facts({ now: waiting.countedTo });
    expect([waiting.step, waitOf(waiting, now)]).toEqual([0, 'window']);
    expect(nextStepAt(waiting, now)).toBe(Date.parse('2026-12-07T08:00:00Z'));
  });

  it('begins a step only with a heartbeat of late', () => {
    const watched = { ...plan, heartbeat: 15 * minute };
    expect(begun({ plan: watched, owner: 'ann' }, facts()).step).toBe(-1);
    expect(begun({ plan: watched, owner: 'ann' }, facts({ heartbeat: monday - 16 * minute })).step).toBe(-1);
    expect(begun({ plan: watched, owner: 'ann' }, facts({ heartbeat: monday + minute })).step).toBe(-1);
    expect(begun({ plan: watched, owner: 'ann' }, facts({ heartbeat: monday - 14 * minute })).step).toBe(0);
  });

  it('lets people end a hold early, whatever it waits for', () => {
    const first = start({ received: 0 });
    const second = done(act(first, { kind: 'advance' }, facts({ received: 0 })));
    expect([second.step, second.held]).toEqual([1, 0]);
    expect(done(act(second, { kind: 'complete' }, facts())).state).toBe('completed');
  });

  it('waits for approvals by other owners', () => {
    const needed = { approvalsNeeded: 2 };
    const pending = start(needed);
    expect([pending.state, waitOf(pending, facts(needed))]).toEqual(['pending', 'approvals']);
    const approve = (rollout: Rollout, owner: string | undefined): Rollout | RolloutRefusal =>
      act(rollout, { kind: 'approve', owner }, facts(needed));
    expect(approve(pending, undefined)).toBe('no-owner');
    expect(approve(pending, 'ann')).toBe('same-owner');
    const once = done(approve(pending, 'bob'));
    expect(once.state).toBe('pending');
    expect(approve(once, 'bob')).toBe('same-owner');
    expect([approve(once, 'Bob'), approve(pending, 'ANN')]).toEqual(['same-owner', 'same-owner']);
    expect(act(once, { kind: 'complete' }, facts(needed))).toBe('state');
    expect(done(approve(once, 'cyd'))).toMatchObject({ state: 'rolling', step: 0 });
  });

  it('widens nothing where approvals are asked for later', () => {
    const needed = facts({ approvalsNeeded: 1 });
    expect(act(start(), { kind: 'advance' }, needed)).toBe('approvals');
    expect(act(start(), { kind: 'complete' }, needed)).toBe('approvals');
    expect(run(start(), 60 * minute, { approvalsNeeded: 1 }).step).toBe(0);
    const halted = done(act(start(), { kind: 'halt' }, needed));
    expect(act(halted, { kind: 'resume' }, needed)).toBe('approvals');
    expect(done(act(halted, { kind: 'rollback' }, needed)).state).toBe('rolled-back');
  });

  it('does on an alert what its plan says', () => {
    const alerted = (onAlert: 'halt' | 'rollback', rollout = start()): RolloutState =>
      done(act({ ...rollout, plan: { ...plan, onAlert } }, { kind: 'alert' }, facts())).state;
    expect(alerted('halt')).toBe('halted');
    expect(alerted('rollback')).toBe('rolled-back');
    const halted = done(act(start(), { kind: 'halt' }, facts()));
    expect(alerted('halt', halted)).toBe('halted');
    expect(alerted('rollback', halted)).toBe('rolled-back');
    const over = done(act(start(), { kind: 'complete' }, facts()));
    expect(alerted('rollback', over)).toBe('completed');
  });

  it('does not begin while an alert is firing that concerns it', () => {
    const alerting = { approvalsNeeded: 1, isAlerting: true };
    const approved = done(act(start(alerting), { kind: 'approve', owner: 'bob' }, facts(alerting)));
    expect([approved.state, waitOf(approved, facts(alerting))]).toEqual(['pending', 'alert']);
    expect(run(approved, 10_000, { approvalsNeeded: 1 }).state).toBe('rolling');
  });

  it('does not begin while nothing is prepared that would take it back', () => {
    const lacking = { approvalsNeeded: 1, lacksCorrection: true };
    const approved = done(act(start(lacking), { kind: 'approve', owner: 'bob' }, facts(lacking)));
    expect([approved.state, waitOf(approved, facts(lacking))]).toEqual(['pending', 'correction']);
    expect(run(approved, 10_000, { approvalsNeeded: 1 }).state).toBe('rolling');
  });
});

it.each([
  ['bob', 'rejected'],
  ['ann', 'same-owner'],
  ['Ann', 'same-owner'],
  [undefined, 'no-owner'],
])('a rejection by %s is answered with %s', (owner, answer) => {
  const needed = { approvalsNeeded: 1 };
  const result = act(start(needed), { kind: 'reject', owner }, facts(needed));

  expect(typeof result === 'string' ? result : result.state).toBe(answer);
});

describe('any sequence of actions, with clocks that jump', () => {
  const edges: Readonly<Record<RolloutState, readonly RolloutState[]>> = {
    pending: ['rolling', 'rejected', 'superseded', 'completed'],
    rolling: ['halted', 'completed', 'rolled-back', 'superseded'],
    halted: ['rolling', 'rolled-back', 'superseded', 'completed'],
    completed: [],
    'rolled-back': [],
    superseded: [],
    rejected: [],
  };
  const action: fc.Arbitrary<RolloutAction> = fc.oneof(
    { weight: 8, arbitrary: fc.constant({ kind: 'tick' } as const) },
    fc.record({
      kind: fc.constantFrom('advance', 'halt', 'resume', 'complete', 'rollback', 'supersede', 'alert'),
    }),
    fc.record({
      kind: fc.constantFrom('approve', 'reject'),
      owner: fc.constantFrom('ann', 'bob', 'cyd', undefined),
    }),
  );
  const moment = fc.record({
    action,
    /** Mostly some seconds, sometimes a year in either direction. */
    passes: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 2 * longestTickMs }) },
      fc.integer({ min: -4e10, max: 4e10 }),
    ),
    approvalsNeeded: fc.constantFrom(0, 0, 1, 2),
    received: fc.integer({ min: 0, max: 10 }),
    isAlerting: fc.boolean(),
    lacksCorrection: fc.boolean(),
  });

  it('keeps to the states, never goes back a step, and begins none while it waits', () => {
    fc.assert(
      fc.property(
        fc.array(moment, { maxLength: 60 }),
        fc.constantFrom('halt', 'rollback'),
        (moments, onAlert) => {
          let now = monday;
          let rollout = begun({ plan: { ...plan, onAlert }, owner: 'ann' }, facts());
          for (const { action: next, passes, ...changes } of moments) {
            now += passes;
            const at = facts({ ...changes, now });
            const result = act(rollout, next, at);
            if (typeof result === 'string') continue;
            if (result.state !== rollout.state) {
              expect(edges[rollout.state]).toContain(result.state);
              expect(result.since).toBe(now);
            }
            expect(result.step - rollout.step).toBeGreaterThanOrEqual(0);
            expect(result.step - rollout.step).toBeLessThanOrEqual(1);
            expect(result.held - rollout.held).toBeLessThanOrEqual(longestTickMs);
            if (next.kind === 'tick') {
              const counted = Math.min(Math.max(0, now - rollout.countedTo), longestTickMs);
              const hold = plan.steps[rollout.step]?.hold ?? 0;
              const isReady = rollout.state === 'rolling' && rollout.held + counted >= hold;
              if (!isReady && rollout.state !== 'pending') expect(result.step).toBe(rollout.step);
            }
            if (!isOpen(rollout)) expect(result.state).toBe(rollout.state);
            const isWider = result.step > rollout.step || result.state === 'completed';
            if (isWider && isOpen(rollout)) {
              expect(result.approvals.length).toBeGreaterThanOrEqual(at.approvalsNeeded);
              expect(rollout.state).not.toBe('halted');
            }
            expect(new Set(result.approvals.map(({ owner }) => owner)).size).toBe(result.approvals.length);
            expect(result.approvals.map(({ owner }) => owner)).not.toContain('ann');
            rollout = result;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('counts the time that passed while it was rolling, and no other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: longestTickMs })), { maxLength: 40 }),
        (parts) => {
          const long = RolloutPlan.parse({ steps: [{ percent: 10, hold: '999d' }] });
          let rollout = begun({ plan: long, owner: 'ann' }, facts());
          let now = monday;
          let expected = 0;
          for (const [isRolling, passes] of parts) {
            if (isRolling !== (rollout.state === 'rolling')) {
              rollout = done(act(rollout, { kind: isRolling ? 'resume' : 'halt' }, facts({ now })));
            }
            now += passes;
            rollout = done(act(rollout, { kind: 'tick' }, facts({ now })));
            if (isRolling) expected += passes;
          }
          expect(rollout.held).toBe(expected);
        },
      ),
    );
  });
});
