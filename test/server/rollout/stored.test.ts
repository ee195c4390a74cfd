import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { operator } from '../../../server/audit/audit.ts';
import { verifyChain } from '../../../server/audit/verify.ts';
import { isEligible } from '../../../server/rollout/admission.ts';
import { isOpen, type Rollout } from '../../../server/rollout/rollout.ts';
import type { StoredRollout } from '../../../server/rollout/rollouts.ts';
import { act, begun, type RolloutAction } from '../../../server/rollout/transitions.ts';
import type { RolloutFacts } from '../../../server/rollout/waits.ts';
import type { DatabaseFixture } from '../../contract/database.ts';
import { openSqliteFixture } from '../../kit/sqlite-fixture.ts';

const writtenPlan = {
  steps: [
    { percent: 20, hold: '30s' },
    { percent: 60, hold: '1m', needs: 2 },
  ],
  heartbeat: '5m',
};
const plan = RolloutPlan.parse(writtenPlan);
const clients = Array.from({ length: 12 }, (_, at) => `pc-${at}`);

type Step =
  | { readonly do: 'act'; readonly action: RolloutAction }
  | { readonly do: 'pass'; readonly seconds: number }
  | { readonly do: 'ask' | 'receive'; readonly client: string }
  | { readonly do: 'beat' | 'fire' | 'restart' };

const kinds = ['advance', 'halt', 'resume', 'complete', 'rollback'] as const;
const owners = fc.constantFrom('ann', 'bob', undefined);
const client = fc.constantFrom(...clients);
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), client }) },
    fc.record({ do: fc.constant('receive' as const), client }),
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.integer({ min: -90, max: 90 }) }),
    },
    fc.record({
      do: fc.constant('act' as const),
      action: fc.record({ kind: fc.constantFrom(...kinds) }) as fc.Arbitrary<RolloutAction>,
    }),
    fc.record({
      do: fc.constant('act' as const),
      action: fc.record({ kind: fc.constantFrom('approve' as const, 'reject' as const), owner: owners }),
    }),
    fc.record({ do: fc.constantFrom('beat' as const, 'fire' as const, 'restart' as const) }),
  ),
  { minLength: 5, maxLength: 40 },
) as fc.Arbitrary<Step[]>;

/** The parts that the pure rules decide. */
function stateOf({ state, step, since, held, countedTo, approvals }: Rollout) {
  return { state, step, since, held, countedTo, approvals };
}

describe('a stored rollout', () => {
  let fixture: DatabaseFixture;
  let number = 0;
  beforeAll(async () => {
    fixture = await openSqliteFixture();
  });
  afterAll(() => fixture.close());

  it('is what the rules make of it, whatever happens, and lets nobody out or in against them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1 }), steps, async (approvalsNeeded, walk) => {
        number += 1;
        const tool = `tool-${number}`;
        let rollouts = fixture.rollouts(approvalsNeeded);
        const sender = { by: operator, ids: [tool] };
        const received = new Set<string>();
        let heartbeat: number | undefined;
        let isAlerting = false;
        let firings = 0;
        const now = (): number => fixture.time.getTime();
        const facts = (): RolloutFacts => {
          return {
            now: now(),
            approvalsNeeded,
            received: received.size,
            heartbeat,
            isAlerting,
            lacksCorrection: false,
          };
        };
        const order = { tool, packageId: tool, version: '1.0.0', plan, writtenPlan, owner: 'ann' };
        const started = await rollouts.start(order, { by: operator });
        if (started.is !== 'started') throw new Error(started.is);
        const { id } = started.rollout;
        let model = begun(order, facts());
        const admitted = new Set<string>();
        const read = async (): Promise<StoredRollout> => (await rollouts.find(id)) as StoredRollout;

        for (const step of walk) {
          switch (step.do) {
            case 'act': {
              const outcome = await rollouts.act(id, step.action, { by: operator });
              const after = act(model, step.action, facts());
              expect(outcome?.refusal).toBe(typeof after === 'string' ? after : undefined);
              if (typeof after !== 'string') model = after;
              break;
            }
            case 'pass': {
              fixture.time = new Date(now() + step.seconds * 1000);
              await rollouts.tick();
              const after = act(model, { kind: 'tick' }, facts());
              if (isOpen(model) && typeof after !== 'string') model = after;
              break;
            }
            case 'ask': {
              const may =
                model.state === 'rolling' &&
                isEligible({ ...model, seed: `${tool}/1.0.0` }, { id: step.client, rings: [] });
              if (may) admitted.add(step.client);
              const isIn = (await rollouts.admit(step.client)).includes(id);
              expect(isIn).toBe(admitted.has(step.client) && isOpen(model));
              break;
            }
            case 'receive':
              await rollouts.receive(step.client, id);
              if (admitted.has(step.client)) received.add(step.client);
              break;
            case 'beat': {
              const labels = { alertname: 'Watchdog' };
              await rollouts.takeAlerts(
                [{ status: 'firing', labels, startsAt: 0, fingerprint: 'w' }],
                sender,
              );
              heartbeat = now();
              break;
            }
            case 'fire': {
              firings += 1;
              // Also where the clock was set back since: an older alert would not concern it.
              const startsAt = Math.max(now(), (await read()).begunAt);
              const alert = {
                labels: { alertname: 'A', tool },
                startsAt,
                fingerprint: `${tool} ${firings}`,
              };
              await rollouts.takeAlerts([{ ...alert, status: 'firing' }], sender);
              isAlerting = true;
              const after = act(model, { kind: 'alert' }, facts());
              if (typeof after !== 'string' && after.state !== model.state) model = after;
              await rollouts.takeAlerts([{ ...alert, status: 'resolved' }], sender);
              isAlerting = false;
              break;
            }
            case 'restart':
              await fixture.reopen();
              rollouts = fixture.rollouts(approvalsNeeded);
          }
          expect(stateOf(await read())).toEqual(stateOf(model));
        }

        const { counts, history } = await rollouts.details(await read());
        expect(counts).toMatchObject({ admitted: admitted.size, received: received.size });
        const entries = await fixture.audit().list({ subject: tool, limit: 1000 });
        expect(entries).toHaveLength(history.length);
        // So that the next run has the database to itself.
        await rollouts.act(id, { kind: 'supersede' }, { by: operator });
      }),
      { numRuns: 60 },
    );

    const log = await fixture.audit().list({ limit: 100_000 });
    const entries = async function* () {
      yield* log;
    };
    expect((await verifyChain(entries())).broken).toBeUndefined();
  });
});
