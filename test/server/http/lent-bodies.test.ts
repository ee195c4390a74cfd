import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RevisionNumbers } from '../../../server/catalog/revisions.ts';
import { oneByOne } from '../../../server/http/pipelining.ts';
import { createResponseCache } from '../../../server/http/response-cache.ts';
import { makePrivateAuthority } from '../../kit/private-authority.ts';

/** The body of one address: each of its bytes says whose it is. */
function bodyOf(name: number): string {
  const size = name % 5 === 0 ? 5000 + name : 180_000 + ((name * 7919) % 75_000);
  return `<${name}>`.repeat(Math.ceil(size / 6)).slice(0, size);
}

const pathOf = (name: number) => `/nuget/${name}`;
const numbers: RevisionNumbers = { all: () => 1, packages: () => 1 };

let prepared = 0;

/** Keeps no response, so that each is written into memory that was lent before. */
const lending: RequestListener = createResponseCache(
  {
    routes: [
      {
        mount: '/nuget',
        async prepare({ rawPath }) {
          prepared += 1;
          const text = bodyOf(Number(rawPath.slice(1)));
          const half = Math.floor(text.length / 2);
          return {
            headers: [],
            etag: `"${rawPath}"`,
            body: () => [text.slice(0, half), Buffer.from(text.slice(half))],
            about: { kind: 'document' },
          };
        },
      },
    ],
    revisions: { known: () => numbers, read: async () => numbers },
    maxBytes: 0,
    readAuth: undefined,
    findKey: async () => undefined,
    watch: () => 'request',
    readPeer: () => ({ address: '127.0.0.1', isSecure: false }),
    isStopping: () => false,
    securityHeaders: [],
  },
  (_req, res) => void res.destroy(),
);

const handle = oneByOne(lending, 1000);

type Answer = { readonly status: number; readonly body: string };

/** Takes whole answers out of what came so far; `isHead` of those that have no body. */
function* answersIn(bytes: Buffer, kinds: readonly Kind[]): Generator<Answer> {
  let at = 0;
  for (const { isHead } of kinds) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return;
    const head = bytes.toString('latin1', at, end);
    const status = Number(head.slice(9, 12));
    const length = isHead || status === 304 ? 0 : Number(/content-length: (\d+)/i.exec(head)?.[1]);
    if (end + 4 + length > bytes.length) return;
    yield { status, body: bytes.toString('latin1', end + 4, end + 4 + length) };
    at = end + 4 + length;
  }
}

function firstStrange(body: string, wanted: string): string {
  const at = [...wanted].findIndex((character, place) => body[place] !== character);
  return `${at} ${JSON.stringify(body.slice(at, at + 40))}`;
}

type Kind = { readonly name: number; readonly isHead: boolean; readonly hasIt: boolean };

function requestOf({ name, isHead, hasIt }: Kind): string {
  const condition = hasIt ? `If-None-Match: "/${name}"\r\n` : '';
  return `${isHead ? 'HEAD' : 'GET'} ${pathOf(name)} HTTP/1.1\r\nHost: x\r\n${condition}\r\n`;
}

describe.each(['http', 'https'] as const)('reused memory of bodies, over %s', (scheme) => {
  let dir: string;
  let server: Server;
  let open: () => Socket;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-lent-'));
    if (scheme === 'http') server = createServer(handle);
    else {
      const { certFile, keyFile } = await makePrivateAuthority(dir);
      server = createTlsServer({ cert: await readFile(certFile), key: await readFile(keyFile) }, handle);
    }
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    open = () =>
      scheme === 'http'
        ? connect(port, '127.0.0.1')
        : connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** Asks for all at once over one connection, and goes away when it has `maxBytes` or all answers. */
  async function ask(
    kinds: readonly Kind[],
    until: () => Promise<unknown>,
    maxBytes = Number.POSITIVE_INFINITY,
  ) {
    const socket = open();
    socket.on('error', () => undefined);
    socket.pause();
    const requests = kinds.map(requestOf).join('');
    socket.write(requests.replace(/\r\n$/, 'Connection: close\r\n\r\n'));
    await until();
    const received: Buffer[] = [];
    let count = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received.push(chunk);
      count += chunk.length;
      if (count >= maxBytes) break;
    }
    socket.destroy();
    const answers = [...answersIn(Buffer.concat(received), kinds)];
    for (const [at, { status, body }] of answers.entries()) {
      const { name, isHead, hasIt } = kinds[at] as Kind;
      expect(status).toBe(hasIt ? 304 : 200);
      const wanted = isHead || hasIt ? '' : bodyOf(name);
      // Compared first, since a quarter of a megabyte in a message helps nobody.
      if (body !== wanted) expect.fail(`${pathOf(name)} has other bytes: ${firstStrange(body, wanted)}`);
    }
    return answers.length;
  }

  const kindsFrom = (first: number, count: number): Kind[] =>
    Array.from({ length: count }, (_, at) => ({
      name: first + at,
      isHead: at % 7 === 3,
      hasIt: at % 7 === 5,
    }));

  it('is not reused while a slow client has not read it, whoever comes and goes', async () => {
    let areOthersDone = false;
    // A hundred and twenty long answers are more than the system takes of one connection.
    const slow = Array.from({ length: 4 }, (_, client) =>
      ask(kindsFrom(client * 1000, 120), async () => {
        while (!areOthersDone) await sleep(20);
      }),
    );
    for (let before = -1; before !== prepared; await sleep(100)) before = prepared;
    const others = Array.from({ length: 9 }, (_, client) => {
      const kinds = kindsFrom(10_000 + client * 1000, 40);
      const leavesAt = client % 3 === 0 ? undefined : client * 70_000;
      return ask(kinds, () => sleep((client % 3) * 20), leavesAt);
    });
    const counts = await Promise.all(others);
    areOthersDone = true;

    expect(await Promise.all(slow)).toEqual([120, 120, 120, 120]);
    expect(counts.filter((count) => count === 40)).toHaveLength(3);
  });
});
