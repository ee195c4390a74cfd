import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createUnsent } from '../../../server/http/unsent.ts';
import { openSocket } from '../../kit/raw-http.ts';

const mebibyte = 1024 ** 2;

/** Answers that nobody has taken yet, each of a request of its own. */
async function openAnswers(count: number): Promise<ServerResponse[]> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answers: ServerResponse[] = [];
  for (let n = 0; n < count; n += 1) {
    const asked = once(server, 'request');
    const socket = openSocket(url).on('error', () => undefined);
    socket.resume().write('GET / HTTP/1.1\r\nHost: FEED\r\n\r\n');
    answers.push((await asked)[1]);
  }
  return answers;
}

function cutOff(answers: readonly ServerResponse[]): number[] {
  return answers.flatMap((answer, n) => (answer.destroyed ? [n] : []));
}

describe('answers that wait to be sent', () => {
  it('are cut off above the limit, the oldest first', async () => {
    const answers = await openAnswers(4);
    const unsent = createUnsent(2 * mebibyte);

    for (const answer of answers) unsent.hold(answer, Buffer.alloc(mebibyte), '192.0.2.1');

    expect(cutOff(answers)).toEqual([0, 1]);
  });

  it('are those of the address with most bytes, so that nobody pays for another', async () => {
    const answers = await openAnswers(5);
    const unsent = createUnsent(3 * mebibyte);
    const from = ['192.0.2.1', '192.0.2.7', '192.0.2.7', '192.0.2.7', '192.0.2.7'];

    for (const [n, answer] of answers.entries()) unsent.hold(answer, Buffer.alloc(mebibyte), from[n]);

    expect(cutOff(answers)).toEqual([1, 2]);
  });

  it('stop counting once they are sent, or the client is gone', async () => {
    const answers = await openAnswers(4);
    const unsent = createUnsent(2 * mebibyte);

    for (const answer of answers) {
      const body = Buffer.alloc(mebibyte);
      unsent.hold(answer, body, '192.0.2.1');
      const closed = once(answer, 'close');
      answer.end(body);
      await closed;
    }

    expect(answers.every((answer) => answer.writableFinished)).toBe(true);
  });

  it('count once if many clients get the same bytes, until the last has them', async () => {
    const answers = await openAnswers(5);
    const unsent = createUnsent(2 * mebibyte);
    const shared = Buffer.alloc(mebibyte);

    for (const answer of answers.slice(0, 4)) unsent.hold(answer, shared, '192.0.2.1');
    unsent.hold(answers[4] as ServerResponse, Buffer.alloc(mebibyte), '192.0.2.1');

    expect(cutOff(answers)).toEqual([]);
  });

  it('may be one that is larger than the limit, and any number of small ones', async () => {
    const answers = await openAnswers(4);
    const unsent = createUnsent(mebibyte);

    for (const answer of answers.slice(0, 3)) unsent.hold(answer, Buffer.alloc(1024), '192.0.2.1');
    unsent.hold(answers[3] as ServerResponse, Buffer.alloc(2 * mebibyte), '192.0.2.1');

    expect(cutOff(answers)).toEqual([]);
  });

  it('show which memory is still read, however small they are', async () => {
    const [one, other] = (await openAnswers(2)) as [ServerResponse, ServerResponse];
    const unsent = createUnsent(mebibyte);
    const slab = Buffer.alloc(4096);

    unsent.hold(one, slab.subarray(0, 100), '192.0.2.1');
    unsent.hold(other, slab.subarray(100, 200), '192.0.2.1');
    await close(one);
    expect(unsent.isRead(slab.buffer)).toBe(true);
    await close(other);

    expect(unsent.isRead(slab.buffer)).toBe(false);
  });
});

async function close(answer: ServerResponse): Promise<void> {
  const closed = once(answer, 'close');
  answer.end();
  await closed;
}
