import { describe, expect, it } from 'vitest';
import { readDuration } from '../../formats/duration.ts';

describe('a duration', () => {
  it.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['12h', 43_200_000],
    ['3d', 259_200_000],
    ['0s', 0],
    ['', undefined],
    ['90', undefined],
    ['s', undefined],
    ['-1s', undefined],
    ['1.5h', undefined],
    ['1h30m', undefined],
    ['9999999d', undefined],
  ])('%j is %s ms', (text, ms) => {
    expect(readDuration(text)).toBe(ms);
  });
});
