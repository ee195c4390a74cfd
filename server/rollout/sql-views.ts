import { isPurged } from '../catalog/sql/purge.ts';
import { packageKey } from '../catalog/sql/rows.ts';
import type { Clients } from '../clients/clients.ts';
import type { Connection } from '../database/connection.ts';
import type { Prepare } from '../database/statements.ts';
import type { Rollouts } from './rollouts.ts';
import { mainOf, readViewRollouts } from './sql-corrections.ts';
import { matters, type ViewRollout, viewOf } from './view-of.ts';
import { type Asking, plainView, type View, type ViewGrant, type Views } from './views.ts';

export type SqlViewsOptions = {
  readonly rollouts: Pick<Rollouts, 'admit' | 'admitted'>;
  readonly clients: Pick<Clients, 'see'>;
  /** Another number after each change of rollouts, rings and packages. */
  readonly revision: () => number;
  readonly now: () => Date;
};

/** What clients see while no rollout, ring or package changes. */
type Known = {
  readonly revision: number;
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

/** How many clients are remembered between two changes. */
const maxRemembered = 50_000;
const msADay = 86_400_000;

/** What clients see, by what SQLite has of rollouts and admissions. */
export function createSqlViews({ prepare }: Connection, options: SqlViewsOptions): Views {
  const { rollouts, clients, revision, now } = options;
  let known: Known | undefined;

  function current(): Known {
    const at = revision();
    if (known?.revision !== at) known = read(prepare, at);
    return known;
  }

  function remember({ ofClient }: Known, client: string, view: View, day: number): void {
    if (ofClient.size >= maxRemembered) ofClient.clear();
    ofClient.set(client, { view, day });
  }

  function seenBy(state: Known, admitted: readonly { readonly id: number }[]): View {
    const whole = viewOf(new Set(admitted.map(({ id }) => id)), state.rollouts, state.mainOf);
    return shared(state, { ...whole, grants: notPurged(state, whole.grants) });
  }

  async function of(client: string, from?: string, asking: Asking = 'get'): Promise<View> {
    const day = Math.floor(now().getTime() / msADay);
    const remembered = current().ofClient.get(client);
    if (remembered?.day === day) return remembered.view;
    if (asking === 'get' && !clients.see(client, from)) return plainView;
    if (current().rollouts.length === 0) return plainView;
    const { state, admitted } = await admissionsNow(client, asking);
    const view = seenBy(state, admitted);
    if (asking === 'get') remember(state, client, view, day);
    return view;
  }

  /** The rollouts that a client is in, durably: an admission can be read before it is. */
  async function admissionsNow(
    client: string,
    asking: Asking,
  ): Promise<{ readonly state: Known; readonly admitted: readonly { readonly id: number }[] }> {
    for (;;) {
      const confirmed = new Set(await (asking === 'get' ? rollouts.admit : rollouts.admitted)(client));
      const state = current();
      const all = admissionsOf(prepare, client);
      const admitted = all.filter(({ id, isOpen }) => !isOpen || confirmed.has(id));
      // Another request may have admitted it meanwhile, to what was started meanwhile.
      if (asking === 'head' || admitted.length === all.length) return { state, admitted };
    }
  }

  return {
    of,
    async bucketGrants(client, from, asking) {
      if (asking !== 'head' && !clients.see(client, from)) return [];
      if (current().all.length === 0) return [];
      const { state, admitted } = await admissionsNow(client, asking ?? 'get');
      const ids = admitted.map(({ id }) => id);
      return notPurged(state, viewOf(new Set(ids), state.all, () => undefined).grants);
    },
  };
}

function shared({ views }: Known, view: View): View {
  const same = views.get(view.key);
  if (same !== undefined) return same;
  views.set(view.key, view);
  return view;
}

function read(prepare: Prepare, revision: number): Known {
  const all = readViewRollouts(prepare);
  const mains = new Map(all.map(({ packageId }) => [packageId, mainOf(prepare, packageId)]));
  const main = (packageId: string): string | undefined => mains.get(packageId);
  return {
    revision,
    all,
    rollouts: all.filter((rollout) => matters(rollout, all, main)),
    mainOf: main,
    purged: new Set(all.flatMap((rollout) => purgedOf(prepare, rollout))),
    views: new Map([['', plainView]]),
    ofClient: new Map(),
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
