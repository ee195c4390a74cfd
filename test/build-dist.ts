import { join } from 'node:path';
import { bundleProgram } from '../dev/bundle.ts';

/** Builds dist/ once for all tests that run the program as a process. */
export async function setup(): Promise<void> {
  // Several projects of vitest.config.ts ask for it.
  if (process.env.GO_WIN_TOOLS_DIST === 'built') return;
  process.env.GO_WIN_TOOLS_DIST = 'built';
  const productDir = join(import.meta.dirname, '..');
  await bundleProgram(productDir, join(productDir, 'dist'));
}
