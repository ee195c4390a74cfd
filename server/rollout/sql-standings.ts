import type { Connection } from '../database/connection.ts';
import type { Prepare } from '../database/statements.ts';
import { isEligible } from './admission.ts';
import { positionOf } from './position.ts';
import type { StoredRollout } from './rollouts.ts';
import { asClient, readRings } from './sql-admissions.ts';
import { mainOf, readViewRollouts } from './sql-corrections.ts';
import { type RawRollout, toRollout } from './sql-rows.ts';
import { readOpen } from './sql-transition.ts';
import type { InRollout, Standings, ToolOffer } from './standing.ts';
import { isAbove } from './version-order.ts';
import { type ViewRollout, viewOf } from './view-of.ts';

export function createSqlStandings({ prepare }: Connection): Standings {
  return {
    async of(client, tool) {
      const asking = asClient(client, readRings(prepare));
      const admissions = readAdmissions(prepare, client);
      const shown = [...readEnded(prepare, client), ...readOpen(prepare)].filter(
        (rollout) => tool === undefined || rollout.tool === tool,
      );
      const rollouts = shown.map((rollout): InRollout => {
        const { id, version, state, seed } = rollout;
        const { at, received } = admissions.get(id) ?? {};
        return {
          ...{ id, tool: rollout.tool, version, state },
          position: positionOf(seed, client),
          isReached: isEligible(rollout, asking),
          admittedAt: at,
          receivedAt: received ?? undefined,
        };
      });
      const all = readViewRollouts(prepare);
      const packages = new Map(all.map((rollout) => [rollout.tool, rollout.packageId]));
      const tools = tool === undefined ? [...packages.keys()].toSorted() : [tool];
      const admitted = new Set(admissions.keys());
      const offers = tools.map((name) => offerOf(prepare, name, packages.get(name) ?? name, admitted, all));
      return { rings: asking.rings, rollouts, offers };
    },
  };
}

/** The highest that is listed for the client: by a grant of its view, or as everybody's. */
function offerOf(
  prepare: Prepare,
  tool: string,
  packageId: string,
  admitted: ReadonlySet<number>,
  rollouts: readonly ViewRollout[],
): ToolOffer {
  const own = rollouts.filter((rollout) => rollout.tool === tool);
  const main = mainOf(prepare, packageId);
  const offers: ToolOffer[] = viewOf(admitted, own, () => main)
    .grants.filter(({ isListed }) => isListed)
    .map(({ version, is, rollout }) => ({
      ...{ tool, packageId, version, rollout },
      why: is === 'version' ? 'rollout' : 'correction',
    }));
  const everybody: ToolOffer = { tool, packageId, version: main, why: 'everybody' };
  return offers.reduce(
    (best, offer) => (isAbove(offer.version ?? '', best.version) ? offer : best),
    everybody,
  );
}

/** What a client may have installed still: what was taken back from it, and what it keeps until main offers something higher. */
function readEnded(prepare: Prepare, client: string): StoredRollout[] {
  const sql = `SELECT r.* FROM admissions a JOIN rollouts r ON r.id = a.rollout
    WHERE a.client = ? AND r.state IN ('superseded', 'rolled-back') ORDER BY r.id`;
  return (prepare(sql).all(client) as RawRollout[])
    .map((row) => toRollout(row, prepare))
    .filter(
      ({ state, version, packageId }) =>
        state === 'rolled-back' || isAbove(version, mainOf(prepare, packageId)),
    );
}

type Admission = { readonly at: number; readonly received: number | null };

function readAdmissions(prepare: Prepare, client: string): ReadonlyMap<number, Admission> {
  const rows = prepare('SELECT rollout, at, received FROM admissions WHERE client = ?').all(client);
  return new Map((rows as (Admission & { rollout: number })[]).map((row) => [row.rollout, row]));
}
