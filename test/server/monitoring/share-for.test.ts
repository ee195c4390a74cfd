import { describe, expect, it } from 'vitest';
import { shareFor } from '../../../server/monitoring/share-for.ts';

describe('a shared answer', () => {
  it('is not kept when it failed: the next one asks anew', async () => {
    let made = 0;
    const ask = shareFor(1000, async () => {
      made += 1;
      if (made === 1) throw new Error('no git');
      return made;
    });
    const first = [ask(), ask()];
    await expect(first[0]).rejects.toThrow('no git');
    await expect(first[1]).rejects.toThrow('no git');
    expect([await ask(), await ask()]).toEqual([2, 2]);
  });
});
