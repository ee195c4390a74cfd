import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSlabCache } from '../../../server/http/slab-cache.ts';

const slabBytes = 4096;
const small = (n: number) => Buffer.alloc(1000, n);
const anything = () => true;
const nobody = () => false;

describe('the slab cache', () => {
  it('gives back what it was given, byte for byte, whatever its size', () => {
    const cache = createSlabCache<number>(64 * slabBytes, nobody, slabBytes);
    const sizes = [0, 1, 1000, slabBytes / 4, slabBytes / 4 + 1, slabBytes, 3 * slabBytes];
    for (const size of sizes) cache.set(String(size), size, Buffer.alloc(size, size % 251));
    for (const size of sizes) {
      expect(cache.find(String(size), anything)).toEqual({
        value: size,
        body: Buffer.alloc(size, size % 251),
      });
    }
  });

  it('stays within its limit, and keeps the most recently used', async () => {
    const cache = createSlabCache<number>(8 * slabBytes, nobody, slabBytes);
    for (let n = 0; n < 16; n += 1) cache.set(`a${n}`, n, small(n));
    await later();
    cache.find('a0', anything);
    // Many newcomers, so that some are let in.
    for (let n = 0; n < 40; n += 1) cache.set(`new${n}`, n, small(n));
    const count = [...names('a', 16), ...names('new', 40)].filter((name) => cache.find(name, anything));
    expect(count.length * 1000).toBeLessThanOrEqual(8 * slabBytes);
    expect(count).toContain('a0');
    expect(count.some((name) => name.startsWith('new'))).toBe(true);
  });

  it('is not emptied by a client that walks through everything', () => {
    const cache = createSlabCache<number>(32 * slabBytes, nobody, slabBytes);
    let hits = 0;
    for (let round = 0; round < 20; round += 1) {
      for (let n = 0; n < 128; n += 1) {
        if (cache.find(String(n), anything)?.value === n) hits += 1;
        else cache.set(String(n), n, small(n));
      }
    }
    // Half of it fits; by use alone nothing would ever be found.
    expect(hits).toBeGreaterThan(20 * 128 * 0.2);
  });

  it('replaces a value at once, and stores nothing that is too large', () => {
    const cache = createSlabCache<number>(8 * slabBytes, nobody, slabBytes);
    for (let n = 0; n < 16; n += 1) cache.set(`a${n}`, n, small(n));
    cache.set('a0', 1000, small(7));
    cache.set('b', 0, Buffer.alloc(slabBytes));
    expect(cache.find('a0', anything)).toEqual({ value: 1000, body: small(7) });
    expect(cache.find('b', anything)).toBeUndefined();
  });

  it('never overwrites bytes that it returned', () => {
    const cache = createSlabCache<number>(8 * slabBytes, nobody, slabBytes);
    cache.set('a', 0, small(1));
    const body = cache.find('a', anything)?.body;
    for (let n = 0; n < 1000; n += 1) cache.set(`b${n}`, n, small(2));
    expect(body).toEqual(small(1));
  });

  it.each([
    { isRead: false, of: 'is used again when nobody reads it' },
    { isRead: true, of: 'is left to those who still read it' },
  ])('drops memory that $of', async ({ isRead }) => {
    const cache = createSlabCache<number>(8 * slabBytes, () => isRead, slabBytes);
    const memories = new Set<ArrayBufferLike>();
    const bodies: Buffer[] = [];
    for (let n = 0; n < 1000; n += 1) {
      const body = cache.set(`a${n}`, n, small(n));
      if (body !== undefined) memories.add(body.buffer);
      if (body !== undefined) bodies.push(body);
      await nextTurn();
    }
    expect(bodies.length).toBeGreaterThan(100);
    if (isRead) expect(memories.size).toBeGreaterThan(bodies.length / 5);
    else expect(memories.size).toBeLessThan(12);
  });

  it('stores equal bodies once, each as long as it can be found', () => {
    const cache = createSlabCache<number>(8 * slabBytes, nobody, slabBytes);
    for (let n = 0; n < 16; n += 1) {
      const body = cache.set(`a${n}`, n, small(n % 3), `content ${n % 3}`);
      expect(body).toEqual(small(n % 3));
    }
    const found = names('a', 16).map((name) => cache.find(name, anything));
    expect(found.map((one) => one?.body)).toEqual(names('a', 16).map((_, n) => small(n % 3)));
    expect(new Set(found.map((one) => one?.body.byteOffset)).size).toBe(3);
    for (let n = 0; n < 16; n += 3) cache.find(`a${n}`, () => false);
    expect(cache.find('a1', anything)?.body).toEqual(small(1));
  });

  it('stays within its limit also when one body has many names, again and again', () => {
    const cache = createSlabCache<number>(8 * slabBytes, nobody, slabBytes);
    for (let n = 0; n < 1000; n += 1) cache.set('other', n, small(8), 'other');
    for (let n = 0; n < 1000; n += 1) cache.set(`a${n}`, n, small(7), 'one');
    const count = names('a', 1000).filter((name) => cache.find(name, anything)).length;
    expect(count).toBeGreaterThan(0);
    expect(count * 1024).toBeLessThanOrEqual(8 * slabBytes);
  });

  it('does not find what is no longer good', () => {
    const cache = createSlabCache<number>(8 * slabBytes, nobody, slabBytes);
    cache.set('a', 1, small(1));
    expect(cache.find('a', (value) => value > 1)).toBeUndefined();
    cache.set('a', 2, small(2));
    expect(cache.find('a', (value) => value > 1)).toEqual({ value: 2, body: small(2) });
  });

  it('reuses the space of what is no longer good, except in the current slab', () => {
    const cache = createSlabCache<number>(8 * slabBytes, nobody, slabBytes);
    const fill = () => {
      for (let n = 0; n < 16; n += 1) cache.set(`a${n}`, n, small(n));
      return names('a', 16).filter((name) => cache.find(name, anything)).length;
    };
    expect(fill()).toBe(16);
    for (const name of names('a', 16)) cache.find(name, () => false);
    expect(fill()).toBe(12);
  });
});

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`);
}

/** The clock moves on. */
function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
