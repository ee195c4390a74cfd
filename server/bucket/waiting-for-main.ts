import { isReleaseName } from '../../formats/tool-name.ts';
import type { ClientGrant } from './client-offers.ts';
import type { PendingCommit, PendingCommits } from './pending-commits.ts';

/** After a failure, reads do not try again for so long: each of them would wait for git. */
const pauseMs = 5_000;
/** Others decide more in between, but not for ever. */
const maxAttempts = 3;

export type WaitingDeps = {
  readonly pendingCommits?: Pick<PendingCommits, 'first'> | undefined;
  readonly finishCommits: () => Promise<void>;
};

/**
 * Lets git commit what main is still to get; what it cannot commit now (a lock that was left, a full disk) is answered with. The
 * feed offers it already, so that clients get it without main.
 */
export function createWaitingForMain({ pendingCommits, finishCommits }: WaitingDeps) {
  let failedAt = Number.NEGATIVE_INFINITY;
  let trying: Promise<void> | undefined;

  const hasJustFailed = (): boolean => performance.now() - failedAt < pauseMs;

  /** Many who ask at once share one attempt; the failure itself is in the log. */
  function attempt(): Promise<void> {
    trying ??= finishCommits()
      .catch(() => {
        failedAt = performance.now();
      })
      .finally(() => {
        trying = undefined;
      });
    return trying;
  }

  async function list(): Promise<readonly PendingCommit[]> {
    const found: PendingCommit[] = [];
    for (let after = 0; ; ) {
      const commit = await pendingCommits?.first(after);
      if (commit === undefined) return found;
      if (commit.branches.includes('main') && isReleaseName(commit)) found.push(commit);
      after = commit.number;
    }
  }

  return async (): Promise<readonly PendingCommit[]> => {
    for (let made = 0; !hasJustFailed() && made < maxAttempts; made += 1) {
      await attempt();
      if ((await list()).length === 0) return [];
    }
    return list();
  };
}

export function asGrant({ tool, version }: PendingCommit): ClientGrant {
  return { tool, version, isListed: true, rollout: 0, is: 'published' };
}
