import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The generator's cache for tests that build or download real tools. It outlives the run: what is built once need not be
 * built again by the next run on this machine. Its contents are checked by whoever takes something out of it.
 */
export const testCacheDir = process.env.GO_WIN_TOOLS_TEST_CACHE ?? join(tmpdir(), 'go-win-tools-test-cache');
