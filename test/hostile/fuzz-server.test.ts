import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { openSocket } from '../kit/raw-http.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';
import { readRecording } from '../wire/recording.ts';
import { fuzz } from './fuzz.ts';

type Route = {
  readonly kind: string;
  readonly share: number;
  readonly what: string;
  readonly seeds?: () => readonly Buffer[];
  /** The whole request, with the input where the outside decides. */
  readonly request: (input: Buffer, key: string) => readonly (string | Buffer)[];
};

const host = 'Host: FEED\r\n';
const end = `${host}Connection: close\r\n\r\n`;
const escaped = (input: Buffer) => encodeURIComponent(new TextDecoder().decode(input));
const withBody = (line: string, headers: string, body: Buffer) => [
  `${line} HTTP/1.1\r\n${host}Connection: close\r\n${headers}Content-Length: ${body.length}\r\n\r\n`,
  body,
];

const routes: readonly Route[] = [
  {
    what: 'any target, byte for byte',
    kind: 'target',
    share: 0.03,
    seeds: recordedTargets,
    request: (input) => ['GET ', input, ` HTTP/1.1\r\n${end}`],
  },
  {
    what: 'any target, with a key and another method',
    kind: 'target',
    share: 0.02,
    request: (input, key) => [
      `${['DELETE', 'POST', 'PUT', 'PATCH', 'OPTIONS', 'HEAD'][input.length % 6]} `,
      input,
      ` HTTP/1.1\r\nX-NuGet-ApiKey: ${key}\r\nContent-Length: 0\r\n${end}`,
    ],
  },
  {
    what: '$filter',
    kind: 'filter',
    share: 0.03,
    request: (input) => [`GET /nuget/Packages()?$filter=${escaped(input)} HTTP/1.1\r\n${end}`],
  },
  {
    what: 'queries of the feed',
    kind: 'query',
    share: 0.02,
    request: (input) => [
      `GET /api/v2/${['Search()', 'Packages', 'FindPackagesById()', 'GetUpdates()'][input.length % 4]}?`,
      input,
      ` HTTP/1.1\r\n${end}`,
    ],
  },
  {
    what: 'searches and paths of v3',
    kind: 'query',
    share: 0.01,
    seeds: () =>
      ['q=a%20b&skip=0&take=20&prerelease=true&semVerLevel=2.0.0'].map((text) => Buffer.from(text)),
    request: (input) => [
      `GET /v3/${['search?', 'registration/', 'flat/'][input.length % 3]}`,
      input,
      ` HTTP/1.1\r\n${end}`,
    ],
  },
  {
    what: 'paths of the feed',
    kind: 'path',
    share: 0.015,
    request: (input) => ['GET /nuget', input, ` HTTP/1.1\r\n${end}`],
  },
  {
    what: 'headers of a download',
    kind: 'header',
    share: 0.02,
    request: (input) => [
      'GET /nuget/package/sample/1.0.0 HTTP/1.1\r\n',
      ...['Range: ', 'If-Range: ', 'If-None-Match: ', 'Authorization: ', 'X-Forwarded-For: ', 'Host: ']
        .slice(input.length % 6)
        .flatMap((name) => [name, input, '\r\n']),
      end,
    ],
  },
  {
    what: 'forms',
    kind: 'multipart',
    share: 0.01,
    request: (input, key) =>
      withBody(
        'PUT /nuget/',
        `X-NuGet-ApiKey: ${key}\r\nContent-Type: multipart/form-data; boundary=b\r\n`,
        input,
      ),
  },
  {
    what: 'packages',
    kind: 'nupkg',
    share: 0.01,
    request: (input, key) => withBody('PUT /api/v2/package/', `X-NuGet-ApiKey: ${key}\r\n`, input),
  },
  {
    what: 'JSON for the API',
    kind: 'manifest',
    share: 0.005,
    seeds: () => [Buffer.from('{"name":"x","scopes":["read"],"ids":["a*"]}')],
    request: (input, key) =>
      withBody('POST /api/v1/keys', `X-NuGet-ApiKey: ${key}\r\nContent-Type: application/json\r\n`, input),
  },
  {
    what: 'what git clients say',
    kind: 'pkt-line',
    // Each starts a process.
    share: 0.001,
    request: (input, key) => {
      const service = input.length % 2 === 0 ? 'git-upload-pack' : 'git-receive-pack';
      const headers = `X-NuGet-ApiKey: ${key}\r\nContent-Type: application/x-${service}-request\r\n`;
      return withBody(`POST /git/main/go-win-tools.git/${service}`, headers, input);
    },
  },
];

describe('the whole server, with nearly valid requests', () => {
  let server: TestServer;
  let key: string;
  beforeAll(async () => {
    server = await startTestServer({ logLevel: 'error', maxPackageBytes: 1024 ** 2 });
    key = await makeKey(server, ['admin']);
    expect((await pushNupkg(server, makeNupkg(), server.adminKey)).status).toBe(201);
  });
  afterAll(() => server.stop());

  it.each(routes)('answers, and never with an internal error: $what', { timeout: 600_000 }, async (route) => {
    const { kind, what, share, seeds } = route;
    let sent = 0;
    let answered = 0;
    await fuzz({
      kind,
      what: `the server, ${what}`,
      share,
      ...(seeds && { seeds: seeds() }),
      async take(input) {
        const answer = await exchange(server.url, route.request(input, key));
        sent += 1;
        if (answer.startsWith('HTTP/1.1 ')) answered += 1;
        refuseFaults(answer);
      },
    });

    expect(server.logged()).toBe('');
    // Some are refused while they are still being sent, and the answer is lost with the connection.
    expect(answered / sent).toBeGreaterThan(0.8);
  });

  it('works as before afterwards', async () => {
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    const download = await fetch(`${server.url}/nuget/package/sample/1.0.0`);
    expect(Buffer.from(await download.arrayBuffer()).equals(makeNupkg())).toBe(true);
    expect((await pushNupkg(server, makeNupkg({ version: '2.0.0' }), key)).status).toBe(201);
    expect(readdirSync(join(server.dataDir, 'blobs', 'tmp'))).toEqual([]);
  });
});

/** Sends the bytes and reads to the end. An input may have made its request one that waits for more: then that is all. */
function exchange(url: string, parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(url);
    const received: Buffer[] = [];
    // The server gives up who says no more; one that does not is caught by the test's own limit.
    socket.setTimeout(5000, () => socket.end());
    socket.on('data', (chunk) => received.push(chunk));
    // It may have refused, and closed, before it was told everything.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? undefined : reject(error),
    );
    socket.once('close', () => resolve(Buffer.concat(received).toString('latin1')));
    socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  });
}

/** 503 is how git refuses when many come at once. */
function refuseFaults(answer: string): void {
  const [fault] = /^HTTP\/1\.1 5(?!03)\d\d .*$/m.exec(answer) ?? [];
  if (fault !== undefined) throw new Error(`answered ${fault}`);
}

function recordedTargets(): readonly Buffer[] {
  const names = ['choco-0.10.15', 'choco-2.7.3', 'nuget-5.8', 'nuget-protocol', 'psresourceget'];
  const lines = names
    .flatMap((name) => readRecording(name))
    .flatMap(({ requests }) => requests.map(({ line }) => line));
  return [...new Set(lines)]
    .filter((line) => line.startsWith('GET '))
    .map((line) => Buffer.from(line.split(' ').slice(1, -1).join(' ')));
}
