import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServe } from '../kit/serve-process.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

describe('a server alone', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  it('loads neither the driver of PostgreSQL nor the client of S3', async () => {
    const log = join(dir, 'imports.log');
    const hooks = pathToFileURL(join(productDir, 'test/kit/log-imports.mjs')).href;
    const server = await startServe({ DATA_DIR: join(dir, 'data'), IMPORTS_LOG: log }, [hooks]);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    await server.end('SIGTERM');

    const imports = (await readFile(log, 'utf8')).split('\n');
    expect(imports).toContain('better-sqlite3');
    expect(imports.filter((name) => /^pg($|[/-])|^@(aws-sdk|smithy)\//.test(name))).toEqual([]);
  });
});
