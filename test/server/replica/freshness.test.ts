import { describe, expect, it } from 'vitest';
import { keptMs } from '../../../server/monitoring/readiness.ts';
import { createFreshness, type FreshnessDeps, pingMs } from '../../../server/replica/freshness.ts';
import { createLease, trustMs } from '../../../server/replica/lease.ts';

/** A copy that always has everything, and a database whose answers come when `answer` is called. */
function makeFreshness() {
  let now = 0;
  const asked: (() => void)[] = [];
  const session = {
    query: () =>
      new Promise<readonly (readonly unknown[])[]>((resolve) => {
        asked.push(() => resolve([[7, 'token']]));
      }),
    run: async () => [],
    isOpen: () => true,
    close: () => undefined,
  };
  const deps = {
    copy: { at: () => ({ revision: 7, token: 'token' }) },
    trustMs,
    tables: [],
    copying: () => undefined,
    changed: () => undefined,
    postgres: { name: 'postgres://db/feed', connect: async () => session },
    copyAnew: async () => undefined,
    asked: () => undefined,
  } as unknown as FreshnessDeps;
  const freshness = createFreshness(deps, () => now);
  return {
    freshness,
    pass(ms: number) {
      now += ms;
    },
    questions: () => asked.length,
    async answer() {
      await expect.poll(() => asked.length).toBeGreaterThan(0);
      asked.shift()?.();
    },
  };
}

describe('freshness of a copy', () => {
  it('is enough for who asked himself, however long the answer took', async () => {
    const { freshness, pass, answer } = makeFreshness();

    const refreshed = freshness.refresh();
    pass(trustMs * 10);
    await answer();

    await refreshed;
    expect(freshness.isFresh()).toBe(false);
    freshness.close();
  });

  it('is not enough for who came after the question: he asks again', async () => {
    const { freshness, pass, answer, questions } = makeFreshness();
    const first = freshness.refresh();
    await expect.poll(questions).toBe(1);
    pass(trustMs * 2);
    let isLateFresh = false;

    const late = freshness.refresh().then(() => {
      isLateFresh = true;
    });
    await answer();
    await first;
    await expect.poll(questions).toBe(1);
    expect(isLateFresh).toBe(false);
    await answer();

    await late;
    freshness.close();
  });
});

it('makes a replica unready within two seconds after its last word of the database', async () => {
  const { freshness } = makeFreshness();

  // An answer of /readyz may have been given at the end of the lease, and is kept; only the next one asks the database again.
  expect(trustMs + keptMs + pingMs).toBeLessThan(2_000);
  await expect(freshness.ping()).rejects.toThrow('silent');
  freshness.close();
});

describe('the lease of a copy', () => {
  it('lasts from the question on, for as long as writers wait', () => {
    let now = 100;
    const lease = createLease(() => now);
    expect(lease.isValid()).toBe(false);

    lease.renew(90);

    expect(lease.confirmedAt()).toBe(90);
    now = 90 + trustMs - 1;
    expect(lease.isValid()).toBe(true);
    now = 90 + trustMs;
    expect(lease.isValid()).toBe(false);
    lease.renew(80);
    expect(lease.confirmedAt()).toBe(90);
  });
});
