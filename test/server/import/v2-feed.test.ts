import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createV2Source } from '../../../server/import/v2-feed.ts';
import { createWeb } from '../../../server/import/web.ts';
import { type Listening, listen } from '../../kit/listen.ts';

const servers: Listening[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** Every page has two new versions and a link to the next: a list without an end. */
async function startEndless(): Promise<{ url: URL; asked: () => number }> {
  let count = 0;
  const server = await listen((_request, response) => {
    count += 1;
    const entry = (version: string): string =>
      `<entry><title>a</title><m:properties><d:Id>a</d:Id><d:Version>${version}</d:Version></m:properties></entry>`;
    response.writeHead(200, { 'content-type': 'application/atom+xml' }).end(
      `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"
        xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">
        ${entry(`${count}.0.0`)}${entry(`${count}.1.0`)}
        <link rel="next" href="Packages()?$skiptoken=${count}"/></feed>`,
    );
  });
  servers.push(server);
  return { url: new URL(`${server.url}/nuget`), asked: () => count };
}

describe('another v2 feed as a source', () => {
  it('stops at more versions than it would keep in memory, and says what helps', async () => {
    const endless = await startEndless();
    const web = createWeb({ userAgent: 'test', proxy: {}, signal: new AbortController().signal });
    const source = createV2Source(web, endless.url, { maxVersions: 20 });

    await expect(Readable.from(source.list([])).toArray()).rejects.toThrow(
      'it has more than 20 versions; name ids with --id',
    );
    expect(endless.asked()).toBe(11);
  });
});
