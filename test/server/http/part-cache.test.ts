import { describe, expect, it, vi } from 'vitest';
import { joinBody, lendBody } from '../../../server/http/body.ts';
import { createPartCache } from '../../../server/http/part-cache.ts';

const pieces = (n: number) => [`${n} ä `.repeat(50), `${n} ü `.repeat(50), 'end'];
const whole = (n: number, [one, two]: readonly [string, string]) =>
  `${pieces(n)[0]}${one}${pieces(n)[1]}${two}end`;

describe('the cache of parts', () => {
  it('renders a part once, whatever is between its pieces', () => {
    const cache = createPartCache(100 * 1024);
    const render = vi.fn(() => pieces(1));
    for (const filling of [
      ['1', '2'],
      ['1', '2'],
      ['10', 'ö'],
      ['', '2'],
      ['1', '2'],
    ] as const) {
      expect(String(cache.get('a', filling, render))).toBe(whole(1, filling));
    }
    expect(render).toHaveBeenCalledTimes(1);
  });

  it('keeps what was used recently, within its limit', () => {
    const cache = createPartCache(40 * 1024);
    const render = vi.fn();
    const get = (n: number) =>
      String(
        cache.get(String(n), ['1', '2'], () => {
          render(n);
          return pieces(n);
        }),
      );
    for (let n = 0; n < 200; n++) {
      expect(get(n)).toBe(whole(n, ['1', '2']));
      expect(get(0)).toBe(whole(0, ['1', '2']));
    }
    expect(render).toHaveBeenCalledTimes(200);
    for (let n = 0; n < 200; n++) get(n);
    expect(render.mock.calls.length).toBeGreaterThan(370);
  });

  it('does not change what it returned when it needs space', () => {
    const cache = createPartCache(40 * 1024);
    const first = cache.get('first', ['1', '2'], () => pieces(1));
    for (let n = 2; n < 200; n++) cache.get(String(n), ['1', '2'], () => pieces(n));
    expect(String(first)).toBe(whole(1, ['1', '2']));
  });

  it.each([[0], [1024]])('of %d bytes keeps nothing that is larger', (maxBytes) => {
    const cache = createPartCache(maxBytes);
    const render = vi.fn(() => pieces(1));
    expect(String(cache.get('x', ['1', '2'], render))).toBe(whole(1, ['1', '2']));
    cache.get('x', ['1', '2'], render);
    expect(render).toHaveBeenCalledTimes(2);
  });
});

describe('a body of parts', () => {
  const parts = ['ä', Buffer.from('😀'), '', '\ud800', Buffer.from('x'), 'y'.repeat(70_000)];
  const text = `ä😀\ufffdx${'y'.repeat(70_000)}`;

  it('equals its texts, whatever they contain', () => {
    expect(String(joinBody(parts))).toBe(text);
  });

  it('overwrites no other that is still in use', () => {
    const first = lendBody(parts);
    const second = lendBody(['z'.repeat(70_000)]);
    expect(String(first.bytes)).toBe(text);
    first.giveBack?.();
    const third = lendBody(['0'.repeat(70_000)]);
    expect(third.bytes.buffer).toBe(first.bytes.buffer);
    expect(String(second.bytes)).toBe('z'.repeat(70_000));
  });
});
