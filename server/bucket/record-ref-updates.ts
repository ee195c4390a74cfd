import type { Actor } from '../audit/audit.ts';
import type { Logger } from '../log.ts';
import type { BucketEvents, RefMove } from './events.ts';
import { type Git, runGit } from './git-backend.ts';
import { channels, type RefUpdate } from './push.ts';
import { readRef } from './refs.ts';

export type RefUpdateDeps = {
  readonly git: Git;
  readonly events: Pick<BucketEvents, 'record' | 'lastMove'>;
  readonly log: Logger;
};

/**
 * git moves refs outside of our database, so their audit entries follow right behind; the next push waits for them.
 * What git itself refused after the rules agreed has not moved. Resolves with whether anything did.
 */
export async function recordRefUpdates(
  { git, events, log }: RefUpdateDeps,
  updates: readonly RefUpdate[],
  by: Actor,
  reason?: string,
): Promise<boolean> {
  const moves: RefMove[] = [];
  try {
    for (const { ref, current, next } of updates) {
      if (next === undefined || next === current || (await readRef(git.dir, ref)) !== next) continue;
      moves.push({ ref, from: current, to: next });
    }
    if (moves.length > 0) await events.record(moves, by, reason);
  } catch (error) {
    // What has moved stays moved; the next start finds it.
    log.error({ err: error, updates, by }, 'a push is not in the audit log');
  }
  return moves.length > 0;
}

/** Nobody knows: the server ended between git's success and the entry, or somebody worked on the repository itself. */
const unknown: Actor = { keyId: 'unknown', keyName: 'unknown', from: 'unknown' };

/** What moved without an entry, for the branches; to be called before the first push. */
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
      // A broken bucket is reported to clients that ask for it.
      log.error({ err: error, ref }, 'the branch cannot be compared with the audit log');
    }
  }
}

async function rootOf(git: Git, tip: string): Promise<string> {
  return (await runGit(git, ['rev-list', '--max-parents=0', '--max-count=1', tip])).toString().trim();
}
