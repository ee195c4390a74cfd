import { expect, it } from 'vitest';
import { tooFewMachines } from '../../../../manifest-gen/verbs/rollout/few-machines.ts';

const step = (percent: number, needs?: number) => ({
  percent,
  hold: '1h',
  ...(needs === undefined ? {} : { needs }),
});

it.each([
  [[step(10, 2)], 2, undefined],
  [[step(10)], 1, undefined],
  [[step(10, 0)], 0, undefined],
  [
    [step(10)],
    0,
    'step 1 waits until 1 machines have received it, and 0 have asked so far (feed:clients list)',
  ],
  [
    [step(5, 1), step(10, 20)],
    1,
    'step 2 waits until 20 machines have received it, and 1 has asked so far (feed:clients list)',
  ],
  [[], 0, undefined],
])('says of %j and %i machines: %s', (steps, known, said) => {
  expect(tooFewMachines({ steps }, known)).toBe(said);
});
