import { dayMs } from '../../formats/duration.ts';
import type { RevisionNumbers } from '../catalog/revisions.ts';
import { isPurged } from '../catalog/sql/purge.ts';
import { packageKey } from '../catalog/sql/rows.ts';
import type { Clients } from '../clients/clients.ts';
import type { Connection } from '../database/connection.ts';
import type { Prepare } from '../database/statements.ts';
import type { Rollouts } from './rollouts.ts';
import { mainOf, readViewRollouts } from './sql-corrections.ts';
import { matters, type ViewRollout, viewOf } from './view-of.ts';
import { plainView, type View, type ViewGrant, type Views } from './views.ts';

export type SqlViewsOptions = {
  readonly rollouts: Pick<Rollouts, 'admit' | 'admitted' | 'isSettled'>;
  readonly clients: Pick<Clients, 'see'>;
  /** A higher number after each change of rollouts and rings, and after a client was forgotten. */
  readonly changes: () => number;
  readonly packages: RevisionNumbers['packages'];
  readonly now: () => Date;
};

/** What clients see while no rollout, ring or package of a rollout changes. */
type Known = {
  readonly changes: number;
  /** Of the packages below. */
  readonly revision: number;
  /** The packages of all rollouts. */
  readonly ids: readonly string[];
  /** Up to which change of anything it is known to be current. */
  currentUntil: number;
  readonly rollouts: readonly ViewRollout[];
  /** Those that the feed's main has overtaken as well. */
  readonly all: readonly ViewRollout[];
  readonly mainOf: (packageId: string) => string | undefined;
  /** Versions of these rollouts that were purged, as `nameOf` spells them: nobody is offered them any more. */
  readonly purged: ReadonlySet<string>;
  /** One object for all clients that see the same. */
  readonly views: Map<string, View>;
  readonly ofClient: Map<string, { readonly view: View; readonly day: number }>;
};

/** The rollouts that a client is in, and what was known then. */
type Admissions = { readonly state: Known; readonly isIn: ReadonlySet<number> };

const nothing: ReadonlySet<number> = new Set();

/** How many clients are remembered between two changes. */
const maxRemembered = 50_000;

/** What clients see, by what SQLite has of rollouts and admissions. */
export function createSqlViews({ prepare }: Connection, options: SqlViewsOptions): Views {
  const { rollouts, clients, changes, packages, now } = options;
  let known: Known | undefined;

  function current(): Known {
    const at = changes() + packages();
    if (known?.currentUntil === at) return known;
    const isSame = known?.changes === changes() && known.revision === revisionOf(known.ids);
    if (known === undefined || !isSame) known = read();
    known.currentUntil = at;
    return known;
  }

  function revisionOf(ids: readonly string[]): number {
    return Math.max(0, ...ids.map((id) => packages(id)));
  }

  function read(): Known {
    const all = readViewRollouts(prepare);
    const mains = new Map(all.map(({ packageId }) => [packageId, mainOf(prepare, packageId)]));
    const main = (packageId: string): string | undefined => mains.get(packageId);
    const ids = [...mains.keys()];
    return {
      changes: changes(),
      revision: revisionOf(ids),
      ids,
      currentUntil: 0,
      all,
      rollouts: all.filter((rollout) => matters(rollout, all, main)),
      mainOf: main,
      purged: new Set(all.flatMap((rollout) => purgedOf(prepare, rollout))),
      views: new Map([['', plainView]]),
      ofClient: new Map(),
    };
  }

  function remember({ ofClient }: Known, client: string, view: View, day: number): void {
    if (ofClient.size >= maxRemembered) ofClient.clear();
    ofClient.set(client, { view, day });
  }

  function seenBy({ state, isIn }: Admissions): View {
    const whole = viewOf(isIn, state.rollouts, state.mainOf);
    const same = state.views.get(whole.key);
    if (same !== undefined) return same;
    const view = { ...whole, grants: notPurged(state, whole.grants) };
    state.views.set(view.key, view);
    return view;
  }

  /** The rollouts that a client is in, now and durably; undefined: it has to be admitted, or waited for, first. */
  function settled(client: string): Admissions | undefined {
    const state = current();
    const isIn = new Set(admissionsOf(prepare, client).map(({ id }) => id));
    return rollouts.isSettled(client, isIn) ? { state, isIn } : undefined;
  }

  async function admit(client: string): Promise<Admissions> {
    for (;;) {
      await rollouts.admit(client);
      // Looked at again in one go with what is rolled out: meanwhile something else may have been started.
      const admissions = settled(client);
      if (admissions !== undefined) return admissions;
    }
  }

  /** What was made durable by now: an admission can be read before it is. */
  async function admittedBefore(client: string): Promise<Admissions> {
    const confirmed = new Set(await rollouts.admitted(client));
    const state = current();
    const durable = admissionsOf(prepare, client).filter(({ id, isOpen }) => !isOpen || confirmed.has(id));
    return { state, isIn: new Set(durable.map(({ id }) => id)) };
  }

  return {
    of(client, from, asking = 'get') {
      const state = current();
      const day = Math.floor(now().getTime() / dayMs);
      const remembered = state.ofClient.get(client);
      if (remembered?.day === day) return remembered.view;
      if (asking === 'head') {
        return state.rollouts.length === 0 ? plainView : admittedBefore(client).then(seenBy);
      }
      if (!clients.see(client, from)) return plainView;
      const show = (admissions: Admissions): View => {
        const view = seenBy(admissions);
        remember(admissions.state, client, view, day);
        return view;
      };
      const admissions = state.rollouts.length === 0 ? { state, isIn: nothing } : settled(client);
      return admissions === undefined ? admit(client).then(show) : show(admissions);
    },
    async bucketGrants(client, from, asking) {
      if (asking !== 'head' && !clients.see(client, from)) return [];
      if (current().all.length === 0) return [];
      const { state, isIn } =
        asking === 'head' ? await admittedBefore(client) : (settled(client) ?? (await admit(client)));
      return notPurged(state, viewOf(isIn, state.all, () => undefined).grants);
    },
  };
}

function purgedOf(prepare: Prepare, { packageId, version, corrections }: ViewRollout): string[] {
  const purged = [version, ...corrections].filter((one) => {
    const key = packageKey(packageId, one);
    return key !== undefined && isPurged(prepare, key);
  });
  return purged.map((one) => nameOf({ id: packageId, version: one }));
}

function notPurged({ purged }: Known, grants: readonly ViewGrant[]): readonly ViewGrant[] {
  return purged.size === 0 ? grants : grants.filter((grant) => !purged.has(nameOf(grant)));
}

function nameOf({ id, version }: Pick<ViewGrant, 'id' | 'version'>): string {
  return `${id} ${version}`;
}

function admissionsOf(prepare: Prepare, client: string): { id: number; isOpen: boolean }[] {
  const sql = `SELECT r.id, r.state IN ('rolling', 'halted') AS is_open
    FROM admissions a JOIN rollouts r ON r.id = a.rollout WHERE a.client = ?`;
  const rows = prepare(sql).all(client) as { id: number; is_open: number }[];
  return rows.map(({ id, is_open }) => ({ id, isOpen: is_open === 1 }));
}
