import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createReadiness } from '../../../server/monitoring/readiness.ts';

describe('readiness', () => {
  it('is checked once for all who ask meanwhile and within the next second', async () => {
    let time = 0;
    let looks = 0;
    let isBroken = false;
    const logged: unknown[] = [];
    const git = async (): Promise<void> => {
      looks += 1;
      await setImmediate();
      if (isBroken) throw new Error('no git');
    };
    const ok = async (): Promise<void> => undefined;
    const note = (fields: unknown): void => void logged.push(fields);
    const log = { error: note, info: note };
    const findBroken = createReadiness({ database: ok, blobs: ok, git }, log as never, () => time);

    // However long the look takes, nobody starts another one.
    const first = findBroken();
    time = 60_000;
    const answers = await Promise.all([first, ...Array.from({ length: 50 }, () => findBroken())]);
    expect(answers.every((names) => names.length === 0)).toBe(true);
    expect(looks).toBe(1);

    isBroken = true;
    time += 1000;
    expect(await findBroken()).toEqual([]);
    time += 1;
    expect(await Promise.all([findBroken(), findBroken()])).toEqual([['git'], ['git']]);
    expect(await findBroken()).toEqual(['git']);
    expect(looks).toBe(2);
    expect(logged).toHaveLength(1);
    time += 1001;
    expect(await findBroken()).toEqual(['git']);
    expect(logged).toHaveLength(1);

    isBroken = false;
    time += 1001;
    expect(await findBroken()).toEqual([]);
    expect(logged).toEqual([expect.objectContaining({ check: 'git' }), { check: 'git' }]);
  });
});
