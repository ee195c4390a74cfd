import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPause, inTurn } from '../../server/pause.ts';

/** Counts the turns of the event loop. */
function countTurns(): { now(): number; stop(): void } {
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  return {
    now: () => turn,
    stop: () => {
      isOver = true;
    },
  };
}

/** By a clock that stands still otherwise: on a busy machine milliseconds go by in which nothing was done here. */
function work(ms: number): void {
  vi.advanceTimersByTime(ms);
}
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a pause', () => {
  it('is due after some milliseconds of work, and lets one at a time go on', async () => {
    const pauses = Array.from({ length: 10 }, () => createPause());
    expect(pauses.some((pause) => pause.isDue())).toBe(false);
    work(6);
    expect(pauses.every((pause) => pause.isDue())).toBe(true);

    const turns = countTurns();
    const taken = await Promise.all(pauses.map((pause) => pause.take().then(() => turns.now())));
    turns.stop();

    expect(new Set(taken).size).toBe(pauses.length);
  });
});

describe('work that begins', () => {
  it('continues in another turn of the event loop once this one was blocked for long, in the order it came', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    const turns = countTurns();
    const log: { n: number; hasWaited: boolean; turn: number }[] = [];
    const all = Array.from(
      { length: 6 },
      (_, n) =>
        new Promise<void>((resolve) =>
          inTurn((hasWaited) => {
            log.push({ n, hasWaited, turn: turns.now() });
            if (n === 0) work(6);
            // What follows without waiting for anybody else counts, too.
            void Promise.resolve()
              .then(() => work(6))
              .then(resolve);
          }),
        ),
    );
    await Promise.all(all);
    turns.stop();

    expect(log.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(log.map(({ hasWaited }) => hasWaited)).toEqual([false, true, true, true, true, true]);
    expect(new Set(log.map((one) => one.turn)).size).toBeGreaterThanOrEqual(5);
  });
});
