import { EventEmitter, setMaxListeners } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hideCredentials } from '../../formats/hide-credentials.ts';
import { faultOf } from '../../formats/thrown.ts';
import { openDataDir } from '../../server/data-dir.ts';
import { announceServer } from '../../server/server-file.ts';
import { productVerbs } from '../../verbs.ts';
import { freePort } from '../kit/free-port.ts';
import { type Listening, listen } from '../kit/listen.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

/** One for each place that a secret can stand in; none may ever be printed. */
const secrets = {
  feedKey: 'secret-feed-key-4f1d7c',
  adminKey: 'secret-admin-key-4f1d7c',
  startKey: 'secret-start-key-4f1d7c',
  serverKey: 'secret-server-key-4f1d7c',
  githubToken: 'secret-github-token-4f1d7c',
  conformanceKey: 'secret-conformance-key-4f1d7c',
  password: 'secret-password-4f1d7c',
  proxy: 'secret-proxy-4f1d7c',
};
const forms = Object.values(secrets).flatMap((secret) => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(`user:${secret}`).toString('base64').replace(/=+$/, ''),
]);

/** What verbs take; one that is not here runs without arguments. */
const argsOf: Readonly<Record<string, (place: { url: string; dir: string; keyFile: string }) => string[]>> = {
  'release:beta': () => ['delve'],
  'release:promote': () => ['delve'],
  'release:withdraw': () => ['delve@1.22.0', '--reason', 'why'],
  'bucket:rebase': () => ['https://feed.example.test'],
  'bucket:check': ({ dir }) => [dir],
  'bundle:create': ({ dir }) => ['delve', '--out', join(dir, 'bundle')],
  shims: ({ dir }) => ['--out', join(dir, 'shims')],
  'feed:export': ({ dir }) => [join(dir, 'export')],
  'feed:import': ({ url, keyFile }) => [`${url}/nuget`, '--user', 'user', '--password-file', keyFile],
  'feed:backup': ({ dir }) => [join(dir, 'b.tar')],
  'feed:restore': ({ dir }) => [join(dir, 'none.tar')],
  'feed:keys': () => ['list'],
  'feed:rings': () => ['list'],
  'feed:clients': () => ['list'],
  'feed:unlist': () => ['delve@1.22.0', '--reason', 'why'],
  'feed:relist': () => ['delve@1.22.0', '--reason', 'why'],
  'feed:purge': () => ['delve@1.22.0', '--reason', 'why'],
  'feed:conformance': ({ url, keyFile }) => [
    `${url}/nuget`,
    '--api-key-file',
    keyFile,
    '--quick',
    '--timeout',
    '2',
  ],
};

/** In the reason phrase, in the body, as JSON and as text. */
function echo(status: number): Parameters<typeof listen>[0] {
  return ({ headers }, response) => {
    const said = [headers.authorization, headers['x-nuget-apikey']].filter(Boolean).join(' and ');
    response.writeHead(status, `Bad ${said}`, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ title: said, message: said, error: said, name: said }));
  };
}

const answers: Readonly<Record<string, Parameters<typeof listen>[0]>> = {
  'refuses (401)': (_request, response) => void response.writeHead(401).end('no'),
  'refuses (403)': (_request, response) => void response.writeHead(403).end('{"title":"no"}'),
  'repeats what it was sent (401)': echo(401),
  'repeats what it was sent (403)': echo(403),
  'repeats what it was sent (500)': echo(500),
  'repeats what it was sent (200)': echo(200),
  'fails (500)': (_request, response) => void response.writeHead(500).end('<html>'),
  'answers garbage': (_request, response) => void response.writeHead(200).end('<html>hello'),
  'answers half JSON': (_request, response) => void response.writeHead(200).end('{"a":'),
  'redirects elsewhere': (_request, response) =>
    void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
  'closes the connection': (request) => void request.socket.destroy(),
  'stays silent': () => undefined,
};

/** What the servers were sent, so that the walk is known to have come as far as that. */
let sent = '';
const noting =
  (listener: Parameters<typeof listen>[0]): Parameters<typeof listen>[0] =>
  (request, response) => {
    sent += `${JSON.stringify(request.headers)}\n`;
    asked.emit(`${request.socket.localPort}`);
    listener(request, response);
  };

/** Each request, by the port that it came to. */
const asked = new EventEmitter();

/** The Ctrl-C that ends verbs once they only wait: no request and no output in three seconds of a loop that turns. */
function interruptWhenQuiet(url: string) {
  const interruption = new AbortController();
  setMaxListeners(0, interruption.signal);
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
    if (turns === 30) interruption.abort('SIGINT');
  }, 100);
  const heard = (): void => {
    turns = 0;
  };
  asked.on(new URL(url).port, heard);
  return {
    signal: interruption.signal,
    heard,
    stop() {
      clearInterval(timer);
      asked.off(new URL(url).port, heard);
    },
  };
}

let root: string;
beforeAll(async () => {
  root = await makeTempDir();
  await writeFile(join(root, 'key'), `${secrets.password}\n`);
});
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

/** The folder of a server that seems to run at the address. */
async function makeDataDir(url: string) {
  const dataDir = await mkdtemp(join(root, 'data-'));
  await writeFile(join(dataDir, 'catalog.db'), '');
  await writeFile(join(dataDir, 'start.key'), `${secrets.startKey}\n`);
  const { release } = openDataDir(dataDir);
  const withdraw = announceServer(dataDir, { pid: 1, url, key: secrets.serverKey });
  return {
    dataDir,
    leave() {
      withdraw();
      release();
    },
  };
}

/** As main.ts runs it, ended by Ctrl-C when it only waits. */
async function run(
  verb: string,
  url: string,
  env: Readonly<Record<string, string>>,
  quiet: ReturnType<typeof interruptWhenQuiet>,
): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said: Buffer[] = [];
  for (const stream of [stdout, stderr]) {
    stream.on('data', (chunk: Buffer) => {
      quiet.heard();
      said.push(chunk);
    });
  }
  const dir = join(root, `${verb.replace(':', '-')}-${Math.random()}`);
  await mkdir(dir);
  const own = verb === 'start' || verb === 'serve' ? { DATA_DIR: join(dir, 'data') } : {};
  let end = '';
  try {
    const { createCommand } = await (productVerbs[verb] ?? expect.fail()).load();
    const command = createCommand({
      env: {
        PATH: process.env.PATH,
        HOME: dir,
        CACHE_DIR: join(dir, 'cache'),
        PORT: '0',
        ...env,
        ...own,
      },
      stdout,
      stderr,
      productDir,
      cwd: dir,
      signal: quiet.signal,
      version: '0.0.0-test',
    });
    command.exitOverride().configureOutput({
      writeOut: (said) => void stdout.write(said),
      writeErr: (said) => void stderr.write(said),
    });
    await command.parseAsync(argsOf[verb]?.({ url, dir, keyFile: join(root, 'key') }) ?? [], {
      from: 'user',
    });
  } catch (error) {
    end =
      error instanceof Error && 'exitCode' in error
        ? hideCredentials(`${error.message}\n${'hint' in error ? error.hint : ''}`)
        : faultOf(error);
  } finally {
    process.exitCode = undefined;
  }
  return `${Buffer.concat(said)}\n${end}`;
}

async function walk(url: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const { dataDir, leave } = await makeDataDir(url);
  const env = {
    DATA_DIR: dataDir,
    FEED_URL: `${url}/nuget`,
    BUCKET_URL: `${url}/git/main/go-win-tools.git`,
    GITHUB_API_URL: url,
    GITHUB_TOKEN: secrets.githubToken,
    FEED_API_KEY: secrets.feedKey,
    ADMIN_API_KEY: secrets.adminKey,
    CONFORMANCE_API_KEY: secrets.conformanceKey,
    NPM_CONFIG_REGISTRY: url,
    GOPROXY: url,
    VULN_DB: url,
    ...more,
  };
  const quiet = interruptWhenQuiet(url);
  try {
    const said = await Promise.all(
      Object.keys(productVerbs).map(async (verb) => [verb, await run(verb, url, env, quiet)] as const),
    );
    for (const [verb, words] of said) {
      for (const form of forms)
        expect(words.includes(form), `${verb} printed ${form}:\n${words}`).toBe(false);
    }
  } finally {
    quiet.stop();
    leave();
  }
}

// They wait most of the time.
describe.concurrent('no verb prints a credential', () => {
  it.each(Object.keys(answers))('when every server %s', async (kind) => {
    const server: Listening = await listen(noting(answers[kind] ?? (() => undefined)));
    try {
      await walk(server.url);
    } finally {
      await server.stop();
    }
  });

  it('when nobody listens', async () => {
    await walk(`http://127.0.0.1:${await freePort()}`);
  });

  it('when addresses hold a user and a password, and proxies too', async () => {
    const server = await listen(noting((_request, response) => void response.writeHead(407).end('no')));
    const withUser = server.url.replace('://', `://user:${secrets.password}@`);
    try {
      await walk(server.url, {
        BUCKET_URL: `${withUser}/bucket.git`,
        PAYLOAD_URL: `${withUser}/{tool}/{version}/{file}`,
        HTTP_PROXY: server.url.replace('://', `://user:${secrets.proxy}@`),
        HTTPS_PROXY: server.url.replace('://', `://user:${secrets.proxy}@`),
        GOPROXY: withUser,
        NPM_CONFIG_REGISTRY: withUser,
      });
      await walk(server.url, { FEED_URL: `${withUser}/nuget`, GITHUB_API_URL: withUser, VULN_DB: withUser });
    } finally {
      await server.stop();
    }
  });
});

it('prints none although the servers were sent them', () => {
  for (const name of ['feedKey', 'serverKey', 'githubToken'] as const)
    expect(sent, name).toContain(secrets[name]);
});
