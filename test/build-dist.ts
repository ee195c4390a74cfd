import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Compiles dist/ once for all tests that run the program as a process. `pnpm check` is what checks its types. */
export async function setup(): Promise<void> {
  // Several projects of vitest.config.ts ask for it.
  if (process.env.GO_WIN_TOOLS_DIST === 'built') return;
  process.env.GO_WIN_TOOLS_DIST = 'built';
  const productDir = join(import.meta.dirname, '..');
  const tsc = join(productDir, 'node_modules', 'typescript', 'bin', 'tsc');
  // Unchanged files are not compiled again; without dist/ there is no memory of an earlier build either.
  const memory = ['--incremental', '--tsBuildInfoFile', join('dist', '.tsbuildinfo')];
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck', ...memory], {
    cwd: productDir,
  });
}
