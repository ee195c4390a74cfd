import { PassThrough } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { createCommand } from '../../conformance/command.ts';
import { everything } from '../contract/catalog.ts';
import { makeKey, startTestServer, type TestServer } from '../kit/test-server.ts';

let server: TestServer;
afterEach(() => server.stop());

it.each([
  [['push'], 'missing unlist'],
  [['push:beta', 'unlist'], 'missing push'],
])('pushes nothing with a key that has only %j, and says what it needs', async (scopes, words) => {
  server = await startTestServer();
  const key = await makeKey(server, scopes);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const fixture = { env: { CONFORMANCE_API_KEY: key }, stdout, stderr, signal: new AbortController().signal };

  const run = createCommand(fixture).parseAsync([`${server.url}/nuget`, '--quick'], { from: 'user' });

  await expect(run).rejects.toMatchObject({
    code: 'KEY_SCOPES',
    exitCode: 1,
    message: expect.stringContaining(words),
  });
  expect(await server.services.catalog.query(everything)).toEqual([]);
});
