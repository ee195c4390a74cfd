import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mainJs } from '../kit/main-js.ts';
import { run } from '../kit/programs.ts';
import { startServe } from '../kit/serve-process.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

/** Words that only the packages themselves contain: a bundle no longer has their names. */
const drivers = { 'the driver of PostgreSQL': 'SCRAM-SHA-256', 'the client of S3': 'ListObjectsV2Command' };

const hooks = pathToFileURL(join(productDir, 'test/kit/log-imports.mjs')).href;

describe('the drivers of shared stores', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  /** Which of them are in the files of the program that a process has loaded. */
  async function loadedBy(log: string): Promise<string[]> {
    const imports = new Set((await readFile(log, 'utf8')).split('\n'));
    expect(imports).toContain('better-sqlite3');
    const files = [...imports].filter((name) => /^\.\/[\w-]+\.js$/.test(name));
    const texts = await Promise.all(files.map((name) => readFile(join(productDir, 'dist', name), 'utf8')));
    return Object.entries(drivers)
      .filter(([, word]) => texts.some((text) => text.includes(word)))
      .map(([name]) => name);
  }

  it('are not loaded by a server alone', async () => {
    const log = join(dir, 'imports.log');
    const server = await startServe({ DATA_DIR: join(dir, 'data'), IMPORTS_LOG: log }, [hooks]);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    await server.end('SIGTERM');

    expect(await loadedBy(log)).toEqual([]);
  });

  it('are loaded with DATABASE_URL and BLOB_STORE', async () => {
    const log = join(dir, 'imports.log');
    const env = {
      DATABASE_URL: 'postgres://feed@127.0.0.1:9/feed',
      BLOB_STORE: 's3://feed',
      PUBLIC_URL: 'https://feed.example',
      DATA_DIR: join(dir, 'data'),
      IMPORTS_LOG: log,
    };

    const { code, stderr } = await run(process.execPath, ['--import', hooks, mainJs, 'serve'], { env });

    expect([code, stderr]).toEqual([
      4,
      expect.stringContaining('postgres://127.0.0.1:9/feed does not answer'),
    ]);
    expect(await loadedBy(log)).toEqual(Object.keys(drivers));
  });
});
