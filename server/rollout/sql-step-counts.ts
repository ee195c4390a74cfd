import type { Prepare } from '../database/statements.ts';
import { createPause } from '../pause.ts';
import { isWithin } from './admission.ts';
import { positionOf } from './position.ts';
import { reachedBy } from './rollout.ts';
import type { StepCount, StoredRollout } from './rollouts.ts';
import { asClient, readRings } from './sql-admissions.ts';

const pageSize = 500;

type Admitted = { readonly client: string; readonly received: number | null };

/**
 * Of each step that has begun, the machines that it was the first to reach, a few at a time. Where no step reaches one any more, since
 * rings have changed, the last one counts it.
 */
export async function countSteps(prepare: Prepare, rollout: StoredRollout): Promise<readonly StepCount[]> {
  const pause = createPause();
  const counts = rollout.plan.steps
    .slice(0, rollout.step + 1)
    .map((_, step) => ({ step, admitted: 0, received: 0 }));
  const reaches = counts.map(({ step }) => reachedBy({ plan: rollout.plan, step }));
  const ringsOfSteps = new Set(reaches.flatMap(({ rings }) => rings));
  const rings = readRings(prepare).filter(({ name }) => ringsOfSteps.has(name));
  for (const page of pagesOf(prepare, rollout.id)) {
    for (const { client, received } of page) {
      const its = asClient(client, rings).rings;
      const position = positionOf(rollout.seed, client);
      // -1 where no step reaches it: the last one.
      const first = counts.at(reaches.findIndex((reach) => isWithin(reach, its, () => position)));
      if (first === undefined) continue;
      first.admitted += 1;
      if (received !== null) first.received += 1;
    }
    if (pause.isDue()) await pause.take();
  }
  return counts;
}

/** In the order of the index, since each page would sort all of them otherwise: those that have received it come by when that was. */
function* pagesOf(prepare: Prepare, rollout: number): Generator<readonly Admitted[]> {
  const having = `SELECT client, received FROM admissions
    WHERE rollout = ? AND received IS NOT NULL AND (received, client) > (?, ?) ORDER BY received, client LIMIT ?`;
  for (let last: Admitted | undefined = { client: '', received: 0 }; last !== undefined; ) {
    const page = prepare(having).all(rollout, last.received, last.client, pageSize) as Admitted[];
    yield page;
    last = page.at(-1);
  }
  const waiting = `SELECT client, received FROM admissions
    WHERE rollout = ? AND received IS NULL AND client > ? ORDER BY client LIMIT ?`;
  for (let last: Admitted | undefined = { client: '', received: null }; last !== undefined; ) {
    const page = prepare(waiting).all(rollout, last.client, pageSize) as Admitted[];
    yield page;
    last = page.at(-1);
  }
}
