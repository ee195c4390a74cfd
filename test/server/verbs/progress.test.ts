import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { printBytes, printCount } from '../../../server/verbs/print.ts';
import { createProgress, printProgress } from '../../../server/verbs/progress.ts';

const mega = 1024 ** 2;

describe('progress', () => {
  it.each([
    [{ count: 3, bytes: 0 }, {}, 2, '3'],
    [{ count: 3, bytes: 3 * mega }, {}, 2, '3, 3.0 MiB, 1.5 MiB/s'],
    [{ count: 25, bytes: 50 * mega }, { packages: 100 }, 5, '25 of 100, 50.0 MiB, 10.0 MiB/s, 15 s left'],
    [{ count: 0, bytes: 0 }, { packages: 100 }, 5, '0 of 100'],
    [{ count: 7, bytes: 30 * mega }, { bytes: 40 * mega }, 3, '75 % of 40.0 MiB, 10.0 MiB/s, 1 s left'],
    [{ count: 0, bytes: 0 }, { bytes: 0 }, 0, '0 % of 0 bytes'],
    // a file that grew while it was read
    [{ count: 1, bytes: 3 * mega }, { bytes: 2 * mega }, 1, '100 % of 2.0 MiB, 3.0 MiB/s'],
  ])('after %j of %j in %i s is "%s"', (done, total, seconds, line) => {
    expect(printProgress(done, total, seconds)).toBe(line);
  });

  it('is a line every 15 seconds in a log, and nothing for short work', async () => {
    vi.useFakeTimers();
    try {
      const log = new PassThrough();
      const progress = createProgress(log, 'Reading', { packages: 4 });
      progress.step(0);
      vi.advanceTimersByTime(14_000);
      expect(log.readableLength).toBe(0);
      vi.advanceTimersByTime(1_000);
      progress.stop();
      vi.advanceTimersByTime(60_000);
      log.end();

      const lines = (await text(log)).split('\n');
      expect(lines).toHaveLength(2);
      expect(lines[0]).toMatch(/^Reading: 1 of 4/);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('words', () => {
  it.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1536, '1.5 KiB'],
    [500 * mega, '500 MiB'],
  ])('prints %i bytes as %s', (bytes, words) => {
    expect(printBytes(bytes)).toBe(words);
  });

  it.each([
    [0, '0 faults'],
    [1, '1 fault'],
    [2, '2 faults'],
  ])('counts %i as %s', (count, words) => {
    expect(printCount(count, 'fault')).toBe(words);
  });
});
