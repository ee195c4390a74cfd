import { Writable } from 'node:stream';
import { createCommand } from '../../shims/command.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeKey, productDir, type TestServer } from '../kit/test-server.ts';

export type Publishing = {
  readonly server: TestServer;
  readonly dir: string;
  readonly channel: string;
  /** The scope that the key has; undefined: there is none. */
  readonly key: string | undefined;
  /** Of the product. */
  readonly version?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** `shims --publish CHANNEL` to a server; returns all that it said. */
export async function publishShims(how: Publishing): Promise<string> {
  const { server, dir, channel, key, version = '1.2.0', flags = [] } = how;
  const said: string[] = [];
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      said.push(String(chunk));
      done();
    },
  });
  const env = {
    ...process.env,
    CACHE_DIR: testCacheDir,
    FEED_URL: `${server.url}/nuget`,
    FEED_API_KEY: key === undefined ? '' : await makeKey(server, [key]),
    DATA_DIR: dir,
    ...how.env,
  };
  const signal = new AbortController().signal;
  const command = createCommand({ env, stdout, stderr: stdout, productDir, cwd: dir, signal, version });
  await command.parseAsync(['--publish', channel, ...flags], { from: 'user' });
  return said.join('');
}
