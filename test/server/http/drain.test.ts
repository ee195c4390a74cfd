import { once } from 'node:events';
import { createServer, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createDrain } from '../../../server/http/drain.ts';

async function serve(handle: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Answers bit by bit, for much longer than it ever stands still. */
const slowly: RequestListener = async (_req, res) => {
  for (let part = 0; part < 40; part += 1) {
    res.write('x');
    await sleep(100);
  }
  res.end();
};

describe('drain', () => {
  it('lets a slow answer finish as long as it moves', async () => {
    const { server, url } = await serve(slowly);
    const drain = createDrain(server);
    const answer = await fetch(url);

    const outcome = drain({ stalledMs: 3000, maxMs: 60_000 });

    expect((await answer.text()).length).toBe(40);
    expect(await outcome).toBe('drained');
  });

  it('cuts off what stands still', async () => {
    const { server, url } = await serve((_req, res) => void res.write('x'));
    const drain = createDrain(server);
    const answer = await fetch(url);

    const outcome = drain({ stalledMs: 100, maxMs: 60_000 });

    await expect(answer.text()).rejects.toThrow();
    expect(await outcome).toBe('cut off');
  });

  it('waits for an answer that is being made of what has come whole', async () => {
    const { server, url } = await serve((req, res) => {
      req.resume().once('end', () => setTimeout(() => res.end('stored'), 1000));
    });
    const drain = createDrain(server);
    const answer = fetch(url, { method: 'PUT', body: 'all of it' });
    await once(server, 'request');

    const outcome = drain({ stalledMs: 100, maxMs: 60_000 });

    expect(await (await answer).text()).toBe('stored');
    expect(await outcome).toBe('drained');
  });

  it('cuts off an upload that stands still', async () => {
    const { server, url } = await serve((req) => void req.resume());
    const drain = createDrain(server);
    const sent = request(url, { method: 'PUT', headers: { 'Content-Length': 100 } });
    sent.write('the beginning');
    await once(server, 'request');

    const outcome = drain({ stalledMs: 100, maxMs: 60_000 });

    await expect(once(sent, 'response')).rejects.toThrow();
    expect(await outcome).toBe('cut off');
  });

  it('cuts off what moves but does not end', async () => {
    const { server, url } = await serve(slowly);
    const drain = createDrain(server);
    const answer = await fetch(url);

    const outcome = drain({ stalledMs: 60_000, maxMs: 100 });

    await expect(answer.text()).rejects.toThrow();
    expect(await outcome).toBe('cut off');
  });
});
