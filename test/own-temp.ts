import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Gives the whole run a temporary folder of its own, gone at its end: tests make many folders, some die before they could
 * clean up, and nobody else should find them. The cache of real builds stays where it is (kit/test-cache.ts).
 */
export default async function useOwnTemp(): Promise<() => Promise<void>> {
  process.env.GO_WIN_TOOLS_TEST_CACHE ??= join(tmpdir(), 'go-win-tools-test-cache');
  const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-tests-'));
  // Tests that become another user must get through to the folders that they made for it.
  await chmod(dir, 0o711);
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = dir;
  return () => rm(dir, { recursive: true, force: true, maxRetries: 5 });
}
