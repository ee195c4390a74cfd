import { it } from 'vitest';
import { pullAfterRandomSteps } from './client-pulls.ts';

it('clients go forward through some dozens of random steps (thousands in test/slow)', async () => {
  await pullAfterRandomSteps(45, 20_261_129);
});
