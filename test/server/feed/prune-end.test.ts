import { expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import type { NameFacts } from '../../../server/catalog/prunable.ts';
import { FeedError } from '../../../server/errors.ts';
import { createPruning, type PruneReport } from '../../../server/feed/prune.ts';
import { join } from '../../../server/verbs/prune.ts';

const order = { betas: 1, olderThan: 0, reason: 'old' };

it('removes the bytes of what is gone though the rest could not be removed', async () => {
  let transactions = 0;
  let removals = 0;
  const facts: NameFacts = {
    name: 'buf',
    versions: Array.from({ length: 60 }, (_, at) => ({
      version: `1.0.0-beta.${at + 1}`,
      at: 0,
      isListed: true,
      package: { sha256: `${at}`, sizeBytes: 1 },
      payloads: [],
    })),
    rollouts: [],
    manifests: [],
    isPackage: () => true,
  };
  const pruning = createPruning({
    catalog: {
      prereleaseNames: async (after) => (after === '' ? ['buf'] : []),
      nameFacts: async () => facts,
      // The key is revoked between two transactions.
      async prune(_name, choose) {
        transactions += 1;
        if (transactions > 1) throw new FeedError('KEY_REVOKED', { name: 'ann', at: '' });
        const pruned = choose(facts).map((version) => ({ version, files: [], kept: [] }));
        return { pruned, isPending: false };
      },
    },
    bucket: {
      listManifests: async () => [],
      between: (work) => work(),
      finishCommits: async () => undefined,
    },
    blobFlusher: { flush: async () => undefined },
    purging: {
      async removeBytes() {
        removals += 1;
        return true;
      },
    },
    now: () => new Date(),
  });
  await expect(pruning.prune(order, operator)).rejects.toMatchObject({ code: 'KEY_REVOKED' });
  expect({ transactions, removals }).toEqual({ transactions: 2, removals: 1 });
});

it.each<[what: string, last: Pick<PruneReport, 'count' | 'isWaiting'>, isWaiting: boolean]>([
  ['removed nothing, so it knows nothing of the bytes', { count: 0, isWaiting: false }, true],
  ['removed the bytes', { count: 3, isWaiting: false }, false],
  ['has bytes that wait', { count: 3, isWaiting: true }, true],
])('says whether bytes wait, where the last answer %s', (_what, last, isWaiting) => {
  const kept = { branch: 0, rollout: 0, promotion: 0, correction: 0, newest: 1, young: 0 };
  const first = { versions: [], count: 500, bytes: 500, kept, isDone: false, isWaiting: true };
  expect(join(first, { ...first, ...last, isDone: true })).toMatchObject({
    isWaiting,
    count: 500 + last.count,
    isDone: true,
  });
});
