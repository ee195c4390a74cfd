import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { faultOf } from '../../../formats/thrown.ts';
import { reachServer, readJson } from '../../../server/verbs/ask-server.ts';
import { type Listening, listen } from '../../kit/listen.ts';

const key = 'the-key-of-the-running-server';
const patience = { connectMs: 2_000, answerMs: 300 };
const servers: Listening[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function ask(listener: Parameters<typeof listen>[0], signal = new AbortController().signal) {
  const server = await listen(listener);
  servers.push(server);
  const running = reachServer({ pid: 1, url: server.url, key }, signal, patience);
  return readJson(running, 'api/v1/keys', z.array(z.string())).catch((error: unknown) => error);
}

describe('the running server, asked by a verb', () => {
  it.each([
    ['says no', 403, '{"title":"No."}', 'SERVER_REFUSED', 1],
    ['repeats the key in its no', 403, `{"title":"Bearer ${key} is no good."}`, 'SERVER_REFUSED', 1],
    ['says nothing about its no', 500, '', 'SERVER_REFUSED', 1],
    ['is about to stop', 503, '{"title":"The server is shutting down."}', 'SERVER_SILENT', 4],
    ['is another program', 200, '<html>', 'SERVER_STRANGE', 4],
    ['has other JSON', 200, '{"keys":[]}', 'SERVER_STRANGE', 4],
  ])('is reported with an error of ours when it %s', async (_what, status, body, code, exitCode) => {
    const error = await ask((_request, response) => response.writeHead(status).end(body));

    expect(error).toMatchObject({ name: 'FeedError', code, exitCode });
    expect(JSON.stringify(error)).not.toContain(key);
    expect(faultOf(error)).not.toContain(key);
  });

  it('is never sent a key where another program at that port redirects', async () => {
    const seen: unknown[] = [];
    const other = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.end('[]');
    });
    servers.push(other);

    const error = await ask((_request, response) => response.writeHead(302, { location: other.url }).end());

    expect(error).toMatchObject({ code: 'SERVER_STRANGE' });
    expect(seen).toEqual([]);
  });

  it('gets an error when it accepts the request and stays silent', async () => {
    const error = await ask(() => undefined);

    expect(error).toMatchObject({
      code: 'SERVER_SILENT',
      exitCode: 4,
      message: expect.stringContaining('300'),
    });
  });

  it('is not waited for after Ctrl-C', async () => {
    const interruption = new AbortController();

    const error = await ask(() => interruption.abort(), interruption.signal);

    expect(error).toMatchObject({ code: 'INTERRUPTED', exitCode: 130 });
  });

  it('is reported with advice when it is gone', async () => {
    const gone = await listen(() => undefined);
    await gone.stop();
    const running = reachServer({ pid: 1, url: gone.url, key }, new AbortController().signal);

    const error = await readJson(running, 'api/v1/keys', z.unknown()).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code: 'SERVER_SILENT', exitCode: 4 });
    expect((error as Error).message).toContain('ECONNREFUSED');
  });
});
