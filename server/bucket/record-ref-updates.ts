import type { Actor } from '../audit/audit.ts';
import type { Logger } from '../log.ts';
import type { BucketEvents, RefMove } from './events.ts';
import { type Git, runGit } from './git-backend.ts';
import { channels, type RefUpdate } from './push.ts';
import { readRef } from './refs.ts';
import { seed } from './seed.ts';

export type RefUpdateDeps = {
  readonly git: Git;
  readonly events: Pick<BucketEvents, 'record' | 'lastMove'>;
  readonly log: Logger;
};

/**
 * git moves refs outside of our database, so their audit entries follow right after it; the next push waits for them. A push that
 * the rules accepted but git refused has moved nothing. Resolves with whether any ref moved.
 */
export async function recordRefUpdates(
  { git, events, log }: RefUpdateDeps,
  updates: readonly RefUpdate[],
  by: Actor,
  reason?: string,
): Promise<boolean> {
  const moves: RefMove[] = [];
  try {
    for (const move of movesOf(updates)) {
      if ((await readRef(git.dir, move.ref)) === move.to) moves.push(move);
    }
    if (moves.length > 0) await events.record(moves, by, reason);
  } catch (error) {
    // The moved refs stay as they are; the next start adds the entry.
    log.error({ err: error, updates, by }, 'a push is not in the audit log');
  }
  return moves.length > 0;
}

/** What a push moves if git agrees. */
export function movesOf(updates: readonly RefUpdate[]): RefMove[] {
  return updates.flatMap(({ ref, current, next }) =>
    next === undefined || next === current ? [] : [{ ref, from: current, to: next }],
  );
}

/** Unknown because the server ended between git's success and the entry, or because somebody changed the repository directly. */
const unknown: Actor = { keyId: 'unknown', keyName: 'unknown', from: 'unknown' };

/** Records branch moves that have no entry; call it before the first push. */
export async function recordMissedRefUpdates({ git, events, log }: RefUpdateDeps): Promise<void> {
  for (const channel of channels) {
    const ref = `refs/heads/${channel}`;
    try {
      const tip = await readRef(git.dir, ref);
      if (tip === undefined) continue;
      const known = (await events.lastMove(ref)) ?? (await rootOf(git, tip));
      if (known === tip) continue;
      log.warn({ ref, known, tip }, 'the bucket moved without an audit entry; it has one now');
      await events.record([{ ref, from: known, to: tip }], unknown, 'found at start');
    } catch (error) {
      // Clients that use a broken bucket get the error.
      log.error({ err: error, ref }, 'the branch cannot be compared with the audit log');
    }
  }
}

async function rootOf(git: Git, tip: string): Promise<string> {
  // In a new bucket both branches are at the first commit, which has a known id.
  if (tip === seed.commit) return tip;
  return (await runGit(git, ['rev-list', '--max-parents=0', '--max-count=1', tip])).toString().trim();
}
