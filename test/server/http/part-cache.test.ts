import { describe, expect, it } from 'vitest';
import { joinParts } from '../../../server/http/join-parts.ts';
import { createPartCache } from '../../../server/http/part-cache.ts';

const text = (n: number) => `${n} ä `.repeat(100);

describe('the cache of parts', () => {
  it('gives back the pieces that were kept, and those that were used lately', () => {
    const cache = createPartCache(40 * 1024);
    for (let n = 0; n < 200; n++) {
      cache.keep(String(n), [text(n), text(-n)]);
      expect(cache.find('0')?.map(String)).toEqual([text(0), text(-0)]);
      expect(cache.find(String(n))?.map(String)).toEqual([text(n), text(-n)]);
    }
    const found = Array.from({ length: 200 }, (_, n) => cache.find(String(n))).filter(Boolean);
    expect(found.length).toBeLessThan(30);
  });

  it('does not change what it gave away when it needs room', () => {
    const cache = createPartCache(40 * 1024);
    const first = cache.keep('first', [text(1)]);
    for (let n = 2; n < 200; n++) cache.keep(String(n), [text(n)]);
    expect(cache.find('first')).toBeUndefined();
    expect(String(first[0])).toBe(text(1));
  });

  it.each([[0], [1024]])('of %d bytes keeps nothing that is larger', (maxBytes) => {
    const cache = createPartCache(maxBytes);
    expect(String(joinParts(cache.keep('x', [text(1)])))).toBe(text(1));
    expect(cache.find('x')).toBeUndefined();
  });
});

describe('a document of parts', () => {
  it('is that of its texts, whatever is in them', () => {
    const parts = ['ä', Buffer.from('😀'), '', '\ud800', Buffer.from('x'), 'y'.repeat(70_000)];
    expect(String(joinParts(parts))).toBe(`ä😀\ufffdx${'y'.repeat(70_000)}`);
  });
});
