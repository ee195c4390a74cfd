import { describe, expect, it } from 'vitest';
import { describeFailure } from './failures.ts';

describe('describeFailure', () => {
  it('shows the name in one line and the errors below it, without colours', () => {
    expect(
      describeFailure('a.test.ts > does\n  it', ['\u001b[31mexpected 1\u001b[39m\nfound 2\n', 'again']),
    ).toEqual(['Failed: a.test.ts > does it', '  | expected 1', '  | found 2', '  | again']);
  });

  it('shows both ends of a long error', () => {
    const lines = Array.from({ length: 100 }, (_, at) => `line ${at}`);

    const shown = describeFailure('a', [lines.join('\n')]);

    expect(shown).toHaveLength(42);
    expect(shown[26]).toBe('  | ... 60 more lines ...');
    expect(shown.at(-1)).toBe('  | line 99');
  });

  it('shows a failure without errors as its name alone', () => {
    expect(describeFailure('a (skipped)', [])).toEqual(['Failed: a (skipped)']);
  });
});
