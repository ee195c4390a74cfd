import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { adminKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { sendRaw } from '../../wire/raw-http.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ logLevel: 'error' });
  await pushNupkg(server, makeNupkg({ id: 'sample' }), adminKey);
});
afterAll(() => server.stop());

const known = fc.constantFrom(
  ...[
    'flat',
    'reg',
    'reg-semver1',
    'search',
    'autocomplete',
    'publish',
    'page',
    'index.json',
    'sample',
    '1.0.0',
  ],
  ...[
    '1.0.0.json',
    'sample.1.0.0.nupkg',
    'sample.nuspec',
    '..',
    '.',
    '%2e%2e',
    '%2f',
    '%00',
    '%zz',
    '%',
    '%ff',
  ],
);
const written = fc.stringMatching(/^[!-~]{0,12}$/);
const encoded = fc.string({ unit: 'binary', maxLength: 8 }).map(encodeURIComponent);
const piece = fc.oneof(
  { arbitrary: known, weight: 3 },
  { arbitrary: written, weight: 1 },
  { arbitrary: encoded, weight: 1 },
);
const pair = fc
  .tuple(fc.constantFrom('q', 'skip', 'take', 'prerelease', 'semVerLevel', 'id', 'Q', ''), piece)
  .map(([name, value]) => `${name}=${value}`);
const address = fc
  .tuple(fc.array(piece, { maxLength: 5 }), fc.array(pair, { maxLength: 4 }))
  .map(([path, query]) => `/v3/${path.join('/')}${query.length > 0 ? `?${query.join('&')}` : ''}`);

describe('the v3 routes', () => {
  it('answer any address with a document or a reason, never with an internal error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'), address, async (method, path) => {
        const { status } = await sendRaw(server.url, `${method} ${path} HTTP/1.1`, {
          Host: 'x',
          'Content-Length': '0',
        });

        expect([200, 302, 400, 401, 404, 405]).toContain(status);
      }),
      { numRuns: 1000 },
    );
  });
});
