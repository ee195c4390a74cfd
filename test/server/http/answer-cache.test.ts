import { describe, expect, it } from 'vitest';
import { createAnswerCache } from '../../../server/http/answer-cache.ts';

describe('the cache of answers', () => {
  it('weighs no more than it may, and keeps what was used last', () => {
    const cache = createAnswerCache<number>(800);
    for (let n = 0; n < 8; n += 1) cache.set(`a${n}`, n, 100);
    cache.get('a0');
    for (let n = 0; n < 8; n += 1) cache.set('new', n, 100);
    expect([cache.get('a0'), cache.get('a1'), cache.get('new')]).toEqual([0, undefined, 7]);
  });

  it('is not emptied by somebody who walks through everything', () => {
    const cache = createAnswerCache<number>(1600);
    let hits = 0;
    for (let round = 0; round < 20; round += 1) {
      for (let n = 0; n < 32; n += 1) {
        if (cache.get(String(n)) === n) hits += 1;
        else cache.set(String(n), n, 100);
      }
    }
    // Half of it fits; by use alone nothing would ever be found.
    expect(hits).toBeGreaterThan(100);
  });

  it('takes a new value for an old one at once, and nothing that is too large', () => {
    const cache = createAnswerCache<string>(800);
    cache.set('a', 'old', 100);
    cache.set('a', 'new', 100);
    cache.set('b', 'large', 101);
    expect([cache.get('a'), cache.get('b')]).toEqual(['new', undefined]);
  });
});
