import type { Actor } from '../audit/audit.ts';
import type { NameFacts, Prunable, PublicVersion } from '../catalog/prunable.ts';
import { fail } from '../errors.ts';
import { matchesGlob } from '../keys/glob.ts';
import { createPause } from '../pause.ts';
import {
  type Branches,
  branchesOf,
  freedBytes,
  type Keeper,
  keepers,
  type PlannedBeta,
  planPrune,
} from './prune-plan.ts';
import type { PurgeServices, Purging } from './purge.ts';

export type PruneServices = Pick<PurgeServices, 'blobFlusher' | 'bucket'> & {
  readonly catalog: Prunable;
  readonly purging: Pick<Purging, 'removeBytes'>;
  readonly now: () => Date;
};

export type PruneOrder = {
  /** So many of the newest betas of each name stay. */
  readonly betas: number;
  /** Younger ones stay, in ms. */
  readonly olderThan: number;
  /** Globs over ids and tools; none means all. */
  readonly ids?: readonly string[] | undefined;
  readonly reason: string;
};

export type PruneReport = {
  /** What goes, or went: at most 1,000 are named. */
  readonly versions: readonly { readonly id: string; readonly version: string; readonly bytes: number }[];
  /** Of all that go. */
  readonly count: number;
  /** About: bytes that versions of other names have too are counted. */
  readonly bytes: number;
  /** Betas that stay, by the first reason that there is. */
  readonly kept: Readonly<Record<Keeper, number>>;
  /** False: there is more to remove; ask again. */
  readonly isDone: boolean;
  /** As for a purge. */
  readonly isWaiting: boolean;
};

export type Pruning = {
  /** What `prune` would do now; changes nothing. */
  plan(order: PruneOrder): Promise<PruneReport>;
  /**
   * Purges old betas that nobody needs, some hundred at most. Which ones is decided in the transaction that removes them.
   * @throws FeedError GIT_BUSY, BUCKET_BEHIND
   */
  prune(order: PruneOrder, by: Actor): Promise<PruneReport>;
};

const maxNamed = 1000;
/** So many are removed for one request, in transactions of so many. */
const maxRemoved = 500;
const removedAtOnce = 25;
const maxAttempts = 20;

/** Removes old betas for good, with everything that belongs to a purge (purge.ts). */
export function createPruning(services: PruneServices): Pruning {
  const { catalog, bucket, blobFlusher, purging, now } = services;

  async function readBranches(): Promise<Branches> {
    const [main, beta] = [await bucket.listManifests('main'), await bucket.listManifests('beta')];
    return branchesOf({ main, beta });
  }

  /** In turns, so that a walk over thousands keeps nobody else waiting. */
  async function* namesOf({ ids = [] }: PruneOrder): AsyncGenerator<string> {
    const pause = createPause();
    const isWanted = (name: string): boolean =>
      ids.length === 0 || ids.some((glob) => matchesGlob(glob, name));
    for (let after = ''; ; ) {
      const names = await catalog.prereleaseNames(after);
      for (const name of names.filter(isWanted)) {
        yield name;
        if (pause.isDue()) await pause.take();
      }
      const last = names.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  const policyOf = ({ betas, olderThan }: PruneOrder) => ({ betas, before: now().getTime() - olderThan });

  /** In one transaction; undefined: the bucket has moved meanwhile. */
  async function pruneSome(name: string, order: PruneOrder, by: Actor, tally: Tally) {
    const policy = policyOf(order);
    let chosen: { readonly facts: NameFacts; readonly goes: readonly PublicVersion[] } | undefined;
    // A push that was checked before must not offer afterwards what is gone by then.
    const is = await bucket.between(async (seen) => {
      const branches = await readBranches();
      const choose = (facts: NameFacts): readonly string[] => {
        chosen = { facts, goes: goesOf(planPrune(facts, branches, policy)).slice(0, removedAtOnce) };
        return chosen.goes.map(({ version }) => version);
      };
      return catalog.prune(name, choose, by, order.reason, seen);
    });
    if (is === 'overtaken' || chosen === undefined) return undefined;
    const gone = new Set(is.pruned.map(({ version }) => version));
    const removed = chosen.goes.filter(({ version }) => gone.has(version));
    tally.goes(chosen.facts, removed);
    if (is.isPending) await blobFlusher.flush();
    return { removed: removed.length, mayBeMore: is.isPending || chosen.goes.length === removedAtOnce };
  }

  async function pruneNames(order: PruneOrder, by: Actor, tally: Tally): Promise<void> {
    const [policy, branches] = [policyOf(order), await readBranches()];
    for await (const name of namesOf(order)) {
      const planned = planPrune(await catalog.nameFacts(name), branches, policy);
      if (goesOf(planned).length > 0) await pruneName(name, order, by, tally);
      tally.stay(planned);
      if (tally.count() >= maxRemoved) return;
    }
  }

  async function pruneName(name: string, order: PruneOrder, by: Actor, tally: Tally): Promise<void> {
    let idle = 0;
    while (tally.count() < maxRemoved) {
      const is = await pruneSome(name, order, by, tally);
      if (is?.mayBeMore === false) return;
      idle = is === undefined || is.removed === 0 ? idle + 1 : 0;
      if (idle >= maxAttempts) fail('GIT_BUSY');
    }
  }

  return {
    async plan(order) {
      const tally = createTally();
      const [policy, branches] = [policyOf(order), await readBranches()];
      for await (const name of namesOf(order)) {
        const facts = await catalog.nameFacts(name);
        const planned = planPrune(facts, branches, policy);
        tally.goes(facts, goesOf(planned));
        tally.stay(planned);
      }
      return tally.report({ isDone: true, isWaiting: false });
    },
    async prune(order, by) {
      const tally = createTally();
      let isWaiting = false;
      try {
        await pruneNames(order, by, tally);
      } finally {
        // Also after an error in the middle: the addresses of what is gone answer 410 already.
        if (tally.count() > 0) isWaiting = !(await purging.removeBytes());
      }
      return tally.report({ isDone: tally.count() < maxRemoved, isWaiting });
    },
  };
}

function goesOf(planned: readonly PlannedBeta[]): readonly PublicVersion[] {
  return planned.flatMap(({ beta, keptBy }) => (keptBy === undefined ? [beta] : []));
}

type Tally = ReturnType<typeof createTally>;

function createTally() {
  const versions: PruneReport['versions'][number][] = [];
  const kept = Object.fromEntries(keepers.map((keeper) => [keeper, 0])) as Record<Keeper, number>;
  let [count, bytes] = [0, 0];
  return {
    count: () => count,
    goes(facts: NameFacts, goes: readonly PublicVersion[]): void {
      count += goes.length;
      bytes += freedBytes(facts, new Set(goes));
      for (const one of goes.slice(0, maxNamed - versions.length)) {
        const sizes = [...(one.package === undefined ? [] : [one.package]), ...one.payloads];
        const own = sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        versions.push({ id: facts.name, version: one.version, bytes: own });
      }
    },
    stay(planned: readonly PlannedBeta[]): void {
      for (const { keptBy } of planned) if (keptBy !== undefined) kept[keptBy] += 1;
    },
    report: (end: Pick<PruneReport, 'isDone' | 'isWaiting'>): PruneReport => ({
      ...{ versions, count, bytes, kept },
      ...end,
    }),
  };
}
