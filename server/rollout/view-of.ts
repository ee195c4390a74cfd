import type { StoredRollout } from './rollouts.ts';
import { isAbove } from './version-order.ts';
import type { View, ViewGrant } from './views.ts';

/** A rollout as far as it decides what clients see. */
export type ViewRollout = Pick<StoredRollout, 'id' | 'tool' | 'packageId' | 'version' | 'state'> & {
  /** The versions that replace it after a rollback. */
  readonly corrections: readonly string[];
  /** After a rollback: the rollouts whose clients get the corrections, itself among them. */
  readonly correctedFor: readonly number[];
};

/** The newest stable version that everybody is offered of a package; undefined: there is none. */
export type MainOf = (packageId: string) => string | undefined;

/** Whether it may still decide what a client of its own sees: until main offers something higher. */
export function matters(rollout: ViewRollout, rollouts: readonly ViewRollout[], mainOf: MainOf): boolean {
  return keepsVersion(rollout, mainOf) || correctionsFor(rollout, rollouts, mainOf).length > 0;
}

/**
 * What a client sees that was admitted to these rollouts (contract section 8, guarantee 1): what it was offered stays until
 * something higher replaces it. After a rollback the version is unlisted, and the correction, which is higher, is listed.
 */
export function viewOf(
  admitted: ReadonlySet<number>,
  rollouts: readonly ViewRollout[],
  mainOf: MainOf,
): View {
  const own = rollouts.filter(({ id }) => admitted.has(id)).filter((one) => matters(one, rollouts, mainOf));
  const grants = new Map<string, ViewGrant>();
  for (const rollout of own) {
    const corrected = correctionsFor(rollout, rollouts, mainOf);
    const isBack = rollout.state === 'rolled-back';
    if (isBack || keepsVersion(rollout, mainOf)) {
      add(grants, rollout, { version: rollout.version, isListed: !isBack, is: 'version' });
    }
    for (const by of corrected) {
      for (const version of by.corrections) add(grants, by, { version, isListed: true, is: 'correction' });
    }
  }
  return { key: own.map(({ id }) => id).join(','), grants: [...grants.values()] };
}

function add(
  grants: Map<string, ViewGrant>,
  { id: rollout, tool, packageId: id }: ViewRollout,
  what: Pick<ViewGrant, 'version' | 'isListed' | 'is'>,
): void {
  const key = `${id.toLowerCase()} ${what.version}`;
  if (!grants.has(key)) grants.set(key, { tool, id, rollout, ...what });
}

function keepsVersion({ state, packageId, version }: ViewRollout, mainOf: MainOf): boolean {
  if (state === 'rolling' || state === 'halted') return true;
  return state === 'superseded' && isAbove(version, mainOf(packageId));
}

/** The rollbacks whose corrections its clients have, as long as main offers nothing higher. */
function correctionsFor(
  { id }: ViewRollout,
  rollouts: readonly ViewRollout[],
  mainOf: MainOf,
): readonly ViewRollout[] {
  return rollouts.filter(
    ({ state, packageId, corrections, correctedFor }) =>
      state === 'rolled-back' &&
      correctedFor.includes(id) &&
      corrections.some((version) => isAbove(version, mainOf(packageId))),
  );
}
