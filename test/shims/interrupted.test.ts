import { rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createCommand } from '../../shims/command.ts';
import { hasGo } from '../kit/exe.ts';
import { makeTempDir, productDir } from '../kit/house.ts';
import { listen } from '../kit/listen.ts';
import { testCacheDir } from '../kit/test-cache.ts';

it.skipIf(!hasGo)(
  'Ctrl-C while shims are published is an interruption, no feed that is away (needs go)',
  async () => {
    const dir = await makeTempDir();
    const interruption = new AbortController();
    const silent = await listen(() => interruption.abort());
    const nobody = new Writable({ write: (_chunk, _encoding, done) => done() });
    const command = createCommand({
      env: { ...process.env, CACHE_DIR: testCacheDir, FEED_URL: `${silent.url}/nuget`, DATA_DIR: dir },
      stdout: nobody,
      stderr: nobody,
      productDir,
      cwd: dir,
      signal: interruption.signal,
      version: '1.2.0',
    });
    try {
      await expect(command.parseAsync(['--publish', 'beta'], { from: 'user' })).rejects.toMatchObject({
        code: 'INTERRUPTED',
        exitCode: 130,
      });
    } finally {
      await silent.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
  300_000,
);
