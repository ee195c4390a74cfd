import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createCommand } from '../../own-packages/probe-command.ts';
import { testCacheDir } from './test-cache.ts';
import { makeKey, productDir, type TestServer } from './test-server.ts';

/** go-win-probe of this checkout on main of a server, by its own verb. */
export async function publishProbe(server: TestServer, dir: string, version: string): Promise<void> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const env = {
    ...process.env,
    CACHE_DIR: testCacheDir,
    FEED_URL: `${server.url}/nuget`,
    FEED_API_KEY: await makeKey(server, ['push']),
    DATA_DIR: join(dir, 'data'),
  };
  const invocation = { env, stdout: silent, stderr: silent, productDir, cwd: dir, version };
  for (const channel of ['beta', 'main']) {
    const command = createCommand({ ...invocation, signal: new AbortController().signal });
    await command.parseAsync(['--publish', channel], { from: 'user' });
  }
}
