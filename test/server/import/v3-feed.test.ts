import { afterEach, describe, expect, it } from 'vitest';
import { createV3Source } from '../../../server/import/v3-feed.ts';
import { createWeb } from '../../../server/import/web.ts';
import { type Listening, listen } from '../../kit/listen.ts';

let server: Listening | undefined;
afterEach(() => server?.stop());

/** One package whose versions all stand on one page. */
async function startWithVersions(count: number): Promise<URL> {
  const types = { registrations: 'RegistrationsBaseUrl', container: 'PackageBaseAddress/3.0.0' };
  const resources = Object.entries(types).map(([name, type]) => ({ '@id': `/${name}/`, '@type': type }));
  const items = Array.from({ length: count }, (_, n) => ({ catalogEntry: { id: 'a', version: `1.0.${n}` } }));
  server = await listen((request, response) => {
    const isIndex = request.url === '/index.json';
    response.end(JSON.stringify(isIndex ? { version: '3.0.0', resources } : { items: [{ items }] }));
  });
  return new URL(`${server.url}/index.json`);
}

describe('another v3 feed as a source', () => {
  it('lists all versions of a page, even more than a call takes as arguments', async () => {
    const index = await startWithVersions(200_000);
    const web = createWeb({ userAgent: 'test', proxy: {}, signal: new AbortController().signal });
    let count = 0;
    for await (const item of createV3Source(web, index).list(['a'])) {
      if ('version' in item) count += 1;
    }
    expect(count).toBe(200_000);
  });
});
