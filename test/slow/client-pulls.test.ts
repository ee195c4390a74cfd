import { it } from 'vitest';
import { runsOf } from '../hostile/fuzz.ts';
import { pullAfterRandomSteps } from '../server/bucket/client-pulls.ts';

const steps = runsOf(1 / 750);
/** The same walk each time, so that a failure can be repeated; FUZZ_SEED chooses another. */
const seed = Number(process.env.FUZZ_SEED ?? 7);

it(`clients go forward through ${steps} random steps (FUZZ_SEED=${seed})`, {
  timeout: 3_600_000,
}, async () => {
  await pullAfterRandomSteps(steps, seed);
});
