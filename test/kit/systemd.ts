import { expect } from 'vitest';
import { run } from './programs.ts';

/**
 * Expects that systemd finds nothing wrong with these units.
 * @param name what their names begin with: what it says of this machine's own units is not about them
 */
export async function expectCleanUnits(name: string, units: readonly string[]): Promise<void> {
  const verified = await run('systemd-analyze', ['verify', '--man=no', ...units]);
  expect(verified.code, verified.stderr).toBe(0);
  expect(verified.stderr).not.toContain(name);
}
