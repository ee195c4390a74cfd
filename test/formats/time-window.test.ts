import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInside, nextInside, parseTimeWindow, type TimeWindow } from '../../formats/time-window.ts';

function window(text: string): TimeWindow {
  const parsed = parseTimeWindow(text);
  if (parsed === undefined) throw new Error(`${text} is no window`);
  return parsed;
}

const at = (text: string): number => Date.parse(text);

describe('a window of hours', () => {
  it.each([
    ['Mon-Fri 08:00-17:00 Europe/Berlin', '2026-11-30T07:00:00Z', true],
    ['Mon-Fri 08:00-17:00 Europe/Berlin', '2026-11-30T06:59:59Z', false],
    ['Mon-Fri 08:00-17:00 Europe/Berlin', '2026-11-30T16:00:00Z', false],
    // in summer the same wall clock is another hour of UTC
    ['Mon-Fri 08:00-17:00 Europe/Berlin', '2026-07-06T06:00:00Z', true],
    ['Mon-Fri 08:00-17:00 Europe/Berlin', '2026-11-29T10:00:00Z', false],
    ['Sat,Sun 00:00-24:00 UTC', '2026-11-29T23:59:59Z', true],
    ['Sat,Sun 00:00-24:00 UTC', '2026-11-30T00:00:00Z', false],
    // crosses midnight: the day is the one on which it begins
    ['Fri 22:00-06:00 UTC', '2026-11-28T05:59:00Z', true],
    ['Fri 22:00-06:00 UTC', '2026-11-27T05:59:00Z', false],
    ['fri-mon 10:00-11:00 utc', '2026-11-29T10:30:00Z', true],
    // 02:30 does not exist on this day in Berlin: from 03:00 on the wall clock is past it
    ['Sun 02:30-03:30 Europe/Berlin', '2026-03-29T01:00:00Z', true],
    ['Sun 02:30-03:30 Europe/Berlin', '2026-03-29T00:59:00Z', false],
    // and on this one it comes twice
    ['Sun 02:30-03:00 Europe/Berlin', '2026-10-25T00:30:00Z', true],
    ['Sun 02:30-03:00 Europe/Berlin', '2026-10-25T01:30:00Z', true],
  ])('%s at %s is open: %s', (text, moment, isOpen) => {
    expect(isInside([window(text)], at(moment))).toBe(isOpen);
  });

  it.each([
    '',
    'Mon',
    'Mon 8:00-17:00 UTC',
    'Mon 08:00-08:00 UTC',
    'Mon 08:00-25:00 UTC',
    'Mon 24:00-01:00 UTC',
    'Mon 08:60-09:00 UTC',
    'Foo 08:00-09:00 UTC',
    'Mon 08:00-09:00 Europe/Atlantis',
    'Mon 08:00-09:00',
  ])('%j is not a window', (text) => {
    expect(parseTimeWindow(text)).toBeUndefined();
  });

  it('is always open where none is set', () => {
    expect(isInside([], 0)).toBe(true);
    expect(nextInside([], 12_345)).toBe(12_345);
  });

  it.each([
    ['Mon-Fri 08:00-17:00 Europe/Berlin', '2026-11-29T12:00:00Z', '2026-11-30T07:00:00Z'],
    ['Sun 02:30-03:30 Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00Z'],
    ['Mon 08:00-08:01 UTC', '2026-11-30T08:01:00Z', '2026-12-07T08:00:00Z'],
  ])('%s after %s opens at %s', (text, moment, next) => {
    expect(nextInside([window(text)], at(moment))).toBe(at(next));
  });

  it('opens at the first minute that is inside, in every zone', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Pacific/Apia',
    ];
    const minute = fc.integer({ min: 0, max: 24 * 60 - 1 });
    const clock = (value: number): string =>
      `${String(Math.floor(value / 60)).padStart(2, '0')}:${String(value % 60).padStart(2, '0')}`;
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom('Mon', 'Tue-Thu', 'Fri-Mon', 'Sun'),
        minute,
        minute,
        fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }),
        (zone, days, from, to, seconds) => {
          fc.pre(from !== to);
          const windows = [window(`${days} ${clock(from)}-${clock(to)} ${zone}`)];
          const start = seconds * 1000;
          const next = nextInside(windows, start);
          // A window in the hour that a change of clocks skips may be missed once.
          if (next === undefined) return;
          expect(isInside(windows, next)).toBe(true);
          if (next > start) {
            expect(isInside(windows, start)).toBe(false);
            expect(isInside(windows, Math.max(start, next - 60_000))).toBe(false);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
