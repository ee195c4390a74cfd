import { describe, expect, it } from 'vitest';
import { createPause } from '../../server/pause.ts';

describe('a pause', () => {
  it('is due after some milliseconds of work, and lets one at a time go on', async () => {
    const pauses = Array.from({ length: 10 }, () => createPause());
    expect(pauses.some((pause) => pause.isDue())).toBe(false);
    const start = performance.now();
    while (performance.now() - start < 6);
    expect(pauses.every((pause) => pause.isDue())).toBe(true);

    let turn = 0;
    let isOver = false;
    const count = (): void => {
      turn += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const turns = await Promise.all(pauses.map((pause) => pause.take().then(() => turn)));
    isOver = true;

    expect(new Set(turns).size).toBe(pauses.length);
  });
});
