import { expect, it } from 'vitest';
import { compilerMemory } from '../../go-command/compiler-memory.ts';

const gibibyte = 1024 ** 3;

it.each([
  [24, 2, { GOGC: 'off', GOMEMLIMIT: '3GiB' }],
  [64, 8, { GOGC: 'off', GOMEMLIMIT: '2GiB' }],
  // With less for each, the compiler of a large package would do little but collect.
  [15.9, 2, { GOGC: '400', GOMEMLIMIT: 'off' }],
  [32, 16, { GOGC: '400', GOMEMLIMIT: 'off' }],
  [1, 1, { GOGC: '400', GOMEMLIMIT: 'off' }],
])('in %d GiB for %d processors', (memory, processors, expected) => {
  expect(compilerMemory(memory * gibibyte, processors)).toEqual(expected);
});
