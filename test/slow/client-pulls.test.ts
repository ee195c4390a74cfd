import { randomInt } from 'node:crypto';
import { it } from 'vitest';
import { runsOf } from '../hostile/fuzz.ts';
import { pullAfterRandomSteps } from '../server/bucket/client-pulls.ts';

const steps = runsOf(1 / 75);
/** FUZZ_SEED repeats a failure. */
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));

it(`clients go forward through ${steps} random steps (FUZZ_SEED=${seed})`, {
  timeout: 3_600_000,
}, async () => {
  await pullAfterRandomSteps(steps, seed);
});
