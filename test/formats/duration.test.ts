import { describe, expect, it } from 'vitest';
import { printDuration, readDuration } from '../../formats/duration.ts';

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

  it.each(['0s', '1s', '90s', '45m', '4h', '25h', '2d', '365d'])('is printed as it was read: %s', (text) => {
    expect(printDuration(readDuration(text) ?? Number.NaN)).toBe(text);
  });

  it.each([
    ['60s', '1m'],
    ['48h', '2d'],
  ])('%s is printed as %s', (text, printed) => {
    expect(printDuration(readDuration(text) ?? Number.NaN)).toBe(printed);
  });
});
