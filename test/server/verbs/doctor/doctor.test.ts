import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../../../server/audit/audit.ts';
import { createCommand as createBackup } from '../../../../server/verbs/backup.ts';
import { checks } from '../../../../server/verbs/doctor/checks.ts';
import { createCommand } from '../../../../server/verbs/doctor/command.ts';
import { cli } from '../../../kit/cli.ts';
import { freePort } from '../../../kit/free-port.ts';
import { useListeners } from '../../../kit/listen.ts';
import { runVerb, runVerbWith, type Said } from '../../../kit/operator-fixture.ts';
import { startOtlpReceiver, tracingTo } from '../../../kit/otlp-receiver.ts';
import {
  makePrivateAuthority,
  type PrivateAuthority,
  signCertificate,
} from '../../../kit/private-authority.ts';
import { hasProgram, isRoot, mustRun, run } from '../../../kit/programs.ts';
import { makeTempDir, productDir, startTestServer, type TestServer } from '../../../kit/test-server.ts';
import { whenEnded } from '../../../kit/when-ended.ts';

/** What a check said, by its name. */
type Lines = Readonly<
  Record<string, { readonly state: string; readonly says: string; readonly todo?: string }>
>;

function linesOf({ stdout }: Pick<Said, 'stdout'>): Lines {
  const lines = stdout.trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => JSON.parse(line)).map(({ check, ...rest }) => [check, rest]));
}

/** Names of the checks that something is wrong with. */
function faultsIn(lines: Lines): string[] {
  return Object.keys(lines).filter((name) => /^(warn|fail)$/.test(lines[name]?.state ?? ''));
}

const { serve } = useListeners();
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

let dir: string;
let authority: PrivateAuthority;
let healthy: TestServer;

beforeAll(async () => {
  dir = await makeTempDir();
  authority = await makePrivateAuthority(dir, 365);
  healthy = await startHttps(authority);
  const backedUp = await runVerb(createBackup, healthy.dataDir, join(dir, 'feed.tgz'));
  expect(backedUp.code, backedUp.stderr).toBe(0);
});
afterAll(async () => {
  await healthy.stop();
  await rm(dir, { recursive: true, force: true });
});

async function startHttps(tls: Omit<PrivateAuthority, 'caFile'>, host = '127.0.0.1'): Promise<TestServer> {
  const port = await freePort();
  return startTestServer({ tls, port, publicUrl: `https://${host}:${port}` });
}

/** With the settings of that server, and `env` besides. */
function doctor(server: TestServer, env: Readonly<Record<string, string>>, ...args: string[]): Promise<Said> {
  const settings = { PUBLIC_URL: server.publicUrl, NODE_EXTRA_CA_CERTS: authority.caFile, ...env };
  return runVerbWith(settings, createCommand, server.dataDir, ...args);
}

async function look(server: TestServer, env: Readonly<Record<string, string>> = {}, ...args: string[]) {
  const said = await doctor(server, env, '--json', ...args);
  const lines = linesOf(said);
  const faults = faultsIn(lines);
  expect(said.code, said.stdout + said.error?.message).toBe(faults.length === 0 ? 0 : 5);
  return { lines, faults };
}

/** What /healthz says of the server's own certificate. */
async function daysAt({ publicUrl }: TestServer): Promise<number> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${publicUrl}/healthz`, { rejectUnauthorized: false }, resolve).once('error', reject);
  });
  return (JSON.parse(await text(answer)) as { cert_expiry_days: number }).cert_expiry_days;
}

/** What differs from run to run. */
function plain(said: string, server: TestServer): string {
  return said
    .replaceAll(server.publicUrl, 'https://feed')
    .replaceAll(server.dataDir, 'DATA_DIR')
    .replaceAll(process.env.TMPDIR ?? '/tmp', 'TMPDIR')
    .replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE')
    .replaceAll(/\d+(\.\d+)? (ms|s|[KMGT]iB)\b/g, 'N $2')
    .replaceAll(/git \d+\.\d+[.\d]*/g, 'git VERSION')
    .replaceAll(/process \d+/g, 'process PID')
    .replaceAll(/schema \d+/g, 'schema N')
    .replaceAll(/all \d+ that/g, 'all N that');
}

/** The lines that people see of what is wrong, as a whole. */
async function expectFaults(
  name: string,
  server: TestServer,
  env: Readonly<Record<string, string>>,
  ...args: string[]
) {
  const { stdout } = await doctor(server, env, ...args);
  const lines = stdout.split('\n').filter((line) => /^(warn|fail)/.test(line));
  await expect(`${plain(lines.join('\n'), server)}\n`).toMatchFileSnapshot(golden(name));
}

const golden = (name: string): string =>
  join(import.meta.dirname, '../../../golden/admin', `doctor-${name}.txt`);

describe('feed:doctor on a healthy installation', () => {
  it('finds nothing to do, and says in a line each what it looked at', async () => {
    const said = await doctor(healthy, {});

    expect(said.code, said.stdout).toBe(0);
    await expect(plain(said.stdout, healthy)).toMatchFileSnapshot(golden('healthy'));
  });

  it('ends with 0, and with 2 for settings that cannot be used, as a program', async () => {
    const { version } = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8'));
    const server = await startTestServer({ server: { version } });
    undo.push(server.stop);
    await runVerb(createBackup, server.dataDir, join(server.dataDir, 'feed.tgz'));
    const env = { DATA_DIR: server.dataDir, PUBLIC_URL: server.publicUrl };
    const said = await cli(env, 'feed:doctor', '--json');

    expect([said.code, said.stderr], said.stdout).toEqual([0, '']);
    expect(Object.keys(linesOf(said))).toEqual(checks.map(({ name }) => name));
    const older = await look(server, env);
    expect(older.faults).toEqual(['server']);
    expect(older.lines.server?.says).toContain('and this program is 0.0.0-test');
    expect((await cli({ ...env, PUBLIC_URL: 'feed' }, 'feed:doctor')).code).toBe(2);
    expect((await cli(env, 'feed:doctor', '--alertmanager', 'here')).code).toBe(2);
  });

  it('says so when the server is stopped', async () => {
    const server = await startTestServer();
    const { dataDir } = server;
    await server.stop();
    undo.push(() => rm(dataDir, { recursive: true, force: true }));
    const again = await startTestServer({ dataDir });
    await again.stop();
    const { lines } = await look({ ...again, publicUrl: 'http://127.0.0.1:1' });

    expect(lines.server).toMatchObject({ state: 'fail', says: expect.stringContaining('no server uses') });
    expect(lines.database).toMatchObject({ state: 'ok' });
    expect(lines.git).toMatchObject({ state: 'ok' });
    expect(lines.metrics).toEqual({
      state: 'skip',
      says: 'not checked, since server failed',
      todo: 'see server',
    });
    expect(lines.backup).toMatchObject({ state: 'warn', says: 'there was no backup yet' });
  });
});

describe('feed:doctor on certificates', () => {
  it('finds one that has expired', async () => {
    const server = await startHttps(await signCertificate(dir, 'old', { days: -1 }));
    undo.push(server.stop);
    expect(server.logged()).toContain('the certificate has expired: clients refuse it');
    const { lines, faults } = await look(server);

    expect(faults).toEqual(expect.arrayContaining(['tls', 'certificate']));
    expect(lines.tls).toEqual({
      state: 'fail',
      says: 'the certificate for 127.0.0.1 has expired',
      todo: 'renew it now',
    });
    expect(lines.certificate).toMatchObject({
      state: 'fail',
      says: expect.stringMatching(/expired on \d{4}-\d\d-\d\d$/),
    });
    await expectFaults('expired', server, {});
    expect(await daysAt(server)).toBe(-2);
    expect(await daysAt(healthy)).toBe(364);
  });

  it('finds one that expires soon', async () => {
    const server = await startHttps(await signCertificate(dir, 'soon', { days: 20 }));
    undo.push(server.stop);
    const { lines } = await look(server);

    expect(lines.tls?.state).toBe('ok');
    expect(lines.certificate).toMatchObject({ state: 'warn', says: expect.stringMatching(/, in 19 days$/) });
  });

  it('finds an authority that this machine does not know', async () => {
    const { lines, faults } = await look(healthy, { NODE_EXTRA_CA_CERTS: '' });

    expect(faults).toEqual(['tls']);
    expect(lines.tls).toMatchObject({ state: 'fail', todo: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
  });

  it('finds an intermediate certificate that is missing, and is content when it comes', async () => {
    await signCertificate(dir, 'between', { days: 300, kind: 'authority' });
    const { certFile, keyFile } = await signCertificate(dir, 'below', { days: 200, by: 'between' });
    const alone = await startHttps({ certFile, keyFile });
    undo.push(alone.stop);
    expect((await look(alone)).lines.tls).toMatchObject({
      state: 'fail',
      says: 'the server does not send the certificate of the issuer between, and this machine does not know it',
      todo: expect.stringContaining(
        'put the intermediate certificates after that of the server in TLS_CERT_FILE',
      ),
    });

    const chain = join(dir, 'chain.pem');
    await writeFile(
      chain,
      (await readFile(certFile, 'utf8')) + (await readFile(join(dir, 'between.pem'), 'utf8')),
    );
    const whole = await startHttps({ certFile: chain, keyFile });
    undo.push(whole.stop);
    expect((await look(whole)).lines.tls).toMatchObject({ state: 'ok' });
  });

  it('finds one for another name', async () => {
    const server = await startHttps(authority, 'localhost');
    undo.push(server.stop);

    expect((await look(server)).lines.tls).toMatchObject({
      state: 'fail',
      says: 'the certificate is for another name than localhost (127.0.0.1)',
    });
  });
});

describe('feed:doctor on PUBLIC_URL', () => {
  const at = async (url: string) => (await look(healthy, { PUBLIC_URL: url })).lines;
  const skipped = { state: 'skip', says: 'not checked, since public-url failed', todo: 'see public-url' };

  it('finds that nobody answers there', async () => {
    const lines = await at('http://127.0.0.1:1');

    expect(lines['public-url']).toMatchObject({
      state: 'fail',
      says: 'nobody answers at http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    });
    for (const name of ['tls', 'certificate', 'links', 'bucket', 'proxy'])
      expect(lines[name]).toEqual(skipped);
    for (const name of ['database', 'metrics', 'backup']) expect(lines[name]?.state, name).toBe('ok');
    await expectFaults('no-public-url', healthy, { PUBLIC_URL: 'http://127.0.0.1:1' });
  });

  it('finds that another go-win-tools answers there', async () => {
    const other = await startTestServer();
    undo.push(other.stop);

    expect((await at(other.url))['public-url']).toMatchObject({
      state: 'fail',
      says: `another go-win-tools (0.0.0-test) answers at ${other.url}, and not this one`,
    });
  });

  it('finds that another program answers there', async () => {
    const { url } = await serve((_req, res) => void res.end('<h1>It works!</h1>'));

    expect((await at(url))['public-url']?.says).toBe(
      `another program answers at ${url} (${url}/healthz: status 200, no JSON of go-win-tools)`,
    );
  });

  it('finds a proxy that does not reach the server', async () => {
    const { url } = await serve((_req, res) => void res.writeHead(502).end('Bad Gateway'));

    expect((await at(url))['public-url']?.says).toBe(
      `a proxy answers at ${url}, with status 502, and not the server behind it`,
    );
  });

  it('finds a redirect, and says when it leads to plain http', async () => {
    const { url } = await serve(
      (_req, res) => void res.writeHead(301, { location: 'http://feed.example/' }).end(),
    );

    expect((await at(url))['public-url']?.says).toBe(`${url} redirects to http://feed.example/`);
  });

  it('finds plain http where the server speaks TLS, and names the address that works', async () => {
    const plainUrl = healthy.publicUrl.replace('https:', 'http:');

    expect((await at(plainUrl))['public-url']).toEqual({
      state: 'fail',
      says: `nobody answers at ${plainUrl}: socket hang up; this installation answers at ${healthy.publicUrl}`,
      todo: `set PUBLIC_URL=${healthy.publicUrl}`,
    });
  });

  it('finds https where the server speaks none', async () => {
    const server = await startTestServer();
    undo.push(server.stop);
    const url = server.publicUrl.replace('http:', 'https:');
    const { lines } = await look(server, { PUBLIC_URL: url });

    expect(lines['public-url']).toEqual({
      state: 'fail',
      says: `nobody answers at ${url}: what answers there is not TLS; this installation answers at ${server.publicUrl}`,
      todo: `give the server a certificate (TLS_CERT_FILE, TLS_KEY_FILE) or a proxy with one, or set PUBLIC_URL=${server.publicUrl}`,
    });
  });

  it('finds links with another base', async () => {
    const port = await freePort();
    const server = await startTestServer({ port, publicUrl: `http://localhost:${port}` });
    undo.push(server.stop);
    const { lines } = await look(server, { PUBLIC_URL: `http://127.0.0.1:${port}` });

    expect(lines.links).toEqual({
      state: 'fail',
      says: `links begin with http://localhost:${port}, and not with http://127.0.0.1:${port}`,
      todo: `start the server with PUBLIC_URL=http://127.0.0.1:${port}, or correct PUBLIC_URL here; what is in manifests: bucket:rebase`,
    });
  });
});

it('feed:doctor names the keys that end soon', async () => {
  const server = await startTestServer();
  undo.push(server.stop);
  const ends = new Date(Date.now() + 10 * 24 * 3_600_000);
  const terms = { scopes: ['push'], ids: [] } as const;
  await server.services.keys.create({ ...terms, name: 'forever' }, operator);
  expect((await look(server)).lines.keys).toEqual({ state: 'ok', says: 'none expires within 14 days' });
  await server.services.keys.create({ ...terms, name: 'nightly', expires: ends }, operator);

  expect((await look(server)).lines.keys).toMatchObject({
    state: 'warn',
    says: expect.stringMatching(/^keys expire within 14 days: \S+ \(nightly\) in 9 days$/),
  });
});

describe('feed:doctor on traces', () => {
  it('finds that one has arrived, and that a collector refuses it', async () => {
    const collector = await startOtlpReceiver();
    const server = await startTestServer({ tracing: tracingTo(collector.url) });
    undo.push(server.stop);
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: new URL(collector.url).origin };

    expect((await look(server, endpoint)).lines.trace).toEqual({
      state: 'ok',
      says: expect.stringMatching(/^a request and its trace are with the collector after \d+\.\d s$/),
    });
    expect(collector.spans.length).toBeGreaterThan(0);
    await collector.stop();
    const { url } = await serve((_req, res) => void res.writeHead(401).end());
    const refused = await startTestServer({ tracing: tracingTo(`${url}/v1/traces`) });
    undo.push(refused.stop);
    expect((await look(refused, endpoint)).lines.trace).toMatchObject({
      state: 'fail',
      says: 'the collector does not take traces: it answers 401',
    });
    expect((await look(healthy, endpoint)).lines.trace).toMatchObject({
      state: 'fail',
      says: 'OTEL_EXPORTER_OTLP_ENDPOINT is set here, and the server traces nothing',
    });
  });
});

describe.skipIf(!hasProgram('nginx'))('feed:doctor behind a proxy (needs nginx)', () => {
  async function startNginx(location: string, server: { readonly url: string }): Promise<string> {
    const [port, home] = [await freePort(), await makeTempDir()];
    await mkdir(join(home, 'logs'), { recursive: true });
    await writeFile(
      join(home, 'nginx.conf'),
      `daemon off; pid ${home}/nginx.pid; error_log stderr; events {}
      http { access_log off; client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy;
        server { listen 127.0.0.1:${port}; ${location.replaceAll('SERVER', server.url)} } }`,
    );
    const nginx = spawn('nginx', ['-p', home, '-c', join(home, 'nginx.conf')], { stdio: 'ignore' });
    const ended = whenEnded(nginx);
    undo.push(async () => {
      nginx.kill('SIGTERM');
      await ended;
      await rm(home, { recursive: true, force: true });
    });
    const url = `http://127.0.0.1:${port}`;
    await expect
      .poll(() =>
        fetch(url).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    return url;
  }

  it.each([
    ['its limit for bodies', 'location / { proxy_pass SERVER; }', 'are refused before they reach the server'],
    [
      'addresses that it decodes',
      'client_max_body_size 0; location ~ ^(.*)$ { proxy_pass SERVER$1; }',
      'an address with %2F and %2B does not arrive as it was sent',
    ],
  ])('finds %s', async (_, location, says) => {
    const server = await startTestServer();
    undo.push(server.stop);
    const url = await startNginx(location, server);
    const { lines } = await look(server, { PUBLIC_URL: url });

    expect(lines['public-url']?.state).toBe('ok');
    expect(lines.proxy).toMatchObject({ state: 'fail', says: expect.stringContaining(says) });
  });
});

const mayMount = process.platform === 'linux' && isRoot() && hasProgram('mount');

describe.skipIf(!mayMount)('feed:doctor on a disk (needs root and mount)', () => {
  it('finds one that is full', async (context) => {
    const disk = await makeTempDir();
    const isMounted = (await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk])).code === 0;
    if (!isMounted) return context.skip();
    undo.push(() => mustRun('umount', [disk]));
    const server = await startTestServer({ dataDir: join(disk, 'data') });
    undo.push(server.stop);
    const { bavail, bsize } = await statfs(disk);
    await writeFile(join(disk, 'ballast'), Buffer.alloc(bavail * bsize));
    const { lines, faults } = await look(server);

    expect(faults).toContain('disk');
    expect(lines.disk).toMatchObject({
      state: 'fail',
      says: expect.stringMatching(
        /^the disk of the data folder \(\S+\) is full: nothing can be written, 0 bytes are free$/,
      ),
      todo: expect.stringContaining('free some space'),
    });
    expect(lines.temp?.state).toBe('ok');
    await expectFaults('full-disk', server, {});

    // Where it has no room for what it needs itself, it blames nothing else.
    const { TMPDIR } = process.env;
    process.env.TMPDIR = disk;
    const { faults: ofBoth, lines: beside } = await look(server).finally(() => {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    });
    expect(ofBoth).toEqual(['disk', 'temp', 'backup']);
    for (const name of ['bucket', 'git'])
      expect(beside[name]).toEqual({
        state: 'skip',
        says: 'not checked, since temp failed',
        todo: 'see temp',
      });
    await rm(join(disk, 'ballast'));
  });
});

describe.skipIf(!hasProgram('prometheus-alertmanager'))(
  'feed:doctor and Alertmanager (needs prometheus-alertmanager)',
  () => {
    async function startAlertmanager(
      key: string,
    ): Promise<{ url: string; child: ChildProcess; ended: Promise<unknown> }> {
      const [port, home] = [await freePort(), await makeTempDir()];
      await writeFile(join(home, 'key'), key, { mode: 0o600 });
      const shipped = join(productDir, 'docs/operate/observability/alertmanager.yml');
      const config = (await readFile(shipped, 'utf8'))
        .replace('https://feed.corp', healthy.publicUrl)
        .replace('/etc/alertmanager/go-win-tools.key', join(home, 'key'))
        .replace('http_config:', `http_config:\n          tls_config: { ca_file: ${authority.caFile} }`)
        // That it is over is told a little sooner.
        .replace('group_interval: 10s', 'group_interval: 1s');
      await writeFile(join(home, 'alertmanager.yml'), config);
      const child = spawn(
        'prometheus-alertmanager',
        [
          `--config.file=${join(home, 'alertmanager.yml')}`,
          `--storage.path=${join(home, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          '--cluster.listen-address=',
        ],
        { stdio: 'ignore' },
      );
      const ended = whenEnded(child);
      undo.push(async () => {
        child.kill('SIGKILL');
        await ended;
        await rm(home, { recursive: true, force: true });
      });
      const url = `http://127.0.0.1:${port}`;
      const isReady = () =>
        fetch(`${url}/-/ready`).then(
          (answer) => answer.ok,
          () => false,
        );
      await expect.poll(isReady).toBe(true);
      return { url, child, ended };
    }

    it('sends a test alert on its way, again and again, and finds Alertmanager stopped', async () => {
      const { key } = await healthy.services.keys.create(
        { name: 'alerts', scopes: ['alert'], ids: [] },
        operator,
      );
      const { url, child, ended } = await startAlertmanager(key);
      for (let n = 0; n < 2; n += 1) {
        const { lines, faults } = await look(healthy, {}, '--alertmanager', url);
        expect(faults).toEqual([]);
        expect(lines.alerts).toEqual({
          state: 'ok',
          says: expect.stringMatching(/^a test alert came back through Alertmanager after \d+\.\d s$/),
        });
      }
      // It is over, and nothing of it is left.
      const catalog = new Database(join(healthy.dataDir, 'catalog.db'), { readonly: true });
      undo.push(async () => catalog.close());
      const firing = catalog.prepare('SELECT count(*) FROM firing_alerts').pluck();
      await expect.poll(() => firing.get()).toBe(0);

      child.kill('SIGKILL');
      await ended;
      const withPassword = url.replace('://', '://somebody:open-sesame@');
      const { lines, faults } = await look(healthy, {}, '--alertmanager', withPassword);
      expect(faults).toEqual(['alerts']);
      expect(lines.alerts).toMatchObject({
        state: 'fail',
        says: `Alertmanager at ${url} does not accept an alert: connect ECONNREFUSED ${new URL(url).host}`,
        todo: expect.stringContaining('start it'),
      });
      expect(JSON.stringify(lines)).not.toContain('open-sesame');
      await expectFaults('no-alertmanager', healthy, {}, '--alertmanager', 'http://127.0.0.1:1');
    });
  },
);
