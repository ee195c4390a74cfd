import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createWeb } from '../../../server/sources/web.ts';
import { type Listening, listen } from '../../kit/listen.ts';

const servers: Listening[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** Sends a byte now and then, and never comes to an end. */
async function startDribble(): Promise<URL> {
  const server = await listen((_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 10);
    response.once('close', () => clearInterval(timer));
  });
  servers.push(server);
  return new URL(server.url);
}

describe('reading other feeds', () => {
  it('does not wait for good for a source that dribbles, page or package', async () => {
    const url = await startDribble();
    const patience = { attempts: 1, maxPageMs: 200, maxPackageMs: 200 };
    const { signal } = new AbortController();
    const web = createWeb({ userAgent: 'test', proxy: {}, signal, patience });

    const package_ = web.open(url).then(buffer);

    await expect(package_).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    await expect(web.read(url)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });
});
