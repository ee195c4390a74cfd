import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCommand as createBackup } from '../../../server/verbs/backup.ts';
import { createCommand } from '../../../server/verbs/keys.ts';
import { createCommand as createRestore } from '../../../server/verbs/restore.ts';
import { cli } from '../../kit/cli.ts';
import { makeSigningKey, type OidcIssuer, startOidcIssuer } from '../../kit/oidc-issuer.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import { makePrivateAuthority } from '../../kit/private-authority.ts';
import { hasProgram } from '../../kit/programs.ts';
import { makeTempDir, startTestServer, type TestServer } from '../../kit/test-server.ts';

const subject = 'repo:acme/tools:environment:release';
const key = makeSigningKey('one', 'ES256');

describe.each(['alone', 'through the running server'])('feed:keys trust and issuer, %s', (way) => {
  let dataDir: string;
  let server: TestServer | undefined;
  let issuer: OidcIssuer;
  beforeEach(async () => {
    dataDir = await makeTempDir();
    issuer = await startOidcIssuer(undefined, [key]);
    if (way !== 'alone') server = await startTestServer({ dataDir });
  });
  afterEach(async () => {
    await issuer.stop();
    await server?.stop();
    server = undefined;
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  const keys = (...args: string[]): Promise<Said> => runVerb(createCommand, dataDir, ...args);
  const listed = async (...args: string[]): Promise<Record<string, unknown>[]> =>
    (await keys(...args, 'list', '--json')).stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const add = (...more: string[]) =>
    keys(
      ...['trust', 'add', '--name', 'acme', '--issuer', issuer.url, '--subject', subject],
      ...['--scope', 'push:beta', '--audience', 'https://feed.example', ...more],
    );

  it('adds, lists and removes a publisher', async () => {
    const added = await add('--claim', 'repository_id=42', 'a=b=c', '--id', 'delve', '--owner', 'Ann');

    expect(added).toMatchObject({ error: undefined, stdout: '' });
    expect(added.stderr).toMatch(
      /^The publisher acme \(\w{16}\) is added: repo:acme\/tools:environment:release, repository_id 42, a b=c for https:\/\/feed\.example gets push:beta for delve, owned by Ann\.\n/,
    );
    expect(added.stderr).not.toContain('every package');
    expect(added.stderr).toContain(`no token is taken: feed:keys issuer add ${issuer.url}\n`);
    expect(await listed('trust')).toMatchObject([
      {
        name: 'acme',
        subject,
        claims: { repository_id: '42', a: 'b=c' },
        ids: ['delve'],
        owner: 'Ann',
        expires: null,
      },
    ]);
    expect((await keys('trust', 'list')).stdout).toContain('repository_id=42 a=b=c');
    expect((await add()).error?.message).toContain('already a trusted publisher named acme');
    expect((await keys('trust', 'remove', 'acme')).stderr).toMatch(/^The publisher acme \(\w+\) is removed/);
    expect(await listed('trust')).toEqual([]);
    expect((await keys('trust', 'remove', 'acme')).error?.message).toMatch(
      /^No trusted publisher has the id or name acme/,
    );
  });

  it.each<[string[], RegExp]>([
    [['--claim', 'repository_id'], /expected --claim NAME=VALUE/],
    [['--claim', 'a=1', 'a=2'], /each name once/],
    [['--claim', 'sub=x'], /others than iss, sub/],
    [['--expires', 'soon'], /expected a time such as/],
    [['--network', 'here'], /expected networks such as/],
  ])('says what is wrong with %j', async (flags, problem) => {
    const { error, code } = await add(...flags);

    expect(error?.message).toMatch(problem);
    expect(code).toBe(2);
  });

  it.each<[string[], boolean]>([
    [[], true],
    [['--scope', 'push', '--json'], true],
    [['--id', 'delve', '--scope', 'push'], false],
  ])('warns that jobs may push every package: %j', async (flags, isWarned) => {
    const { stderr, error } = await add(...flags);

    expect(error).toBeUndefined();
    expect(stderr.includes('Without --id its jobs may push every package: feed:keys trust remove ')).toBe(
      isWarned,
    );
  });

  it('warns of no package where jobs push none', async () => {
    const { stderr } = await keys(
      ...['trust', 'add', '--name', 'acme', '--issuer', issuer.url, '--subject', subject],
      ...['--scope', 'read', '--audience', 'https://feed.example', '--network', '10.0.0.0/8'],
    );

    expect(stderr).toContain('gets read from 10.0.0.0/8.');
    expect(stderr).not.toContain('every package');
  });

  it.each(['admin', 'approve'])('knows no scope %s for jobs', async (scope) => {
    const { code, error } = await add('--scope', scope);

    expect(code).toBe(2);
    expect(error?.message).toContain(`'${scope}' is invalid`);
  });

  it('fetches the keys of an issuer, again for a refresh, and lists how old they are', async () => {
    const added = await keys('issuer', 'add', issuer.url);
    expect(added.stderr).toBe(`The issuer ${issuer.url} has the keys one, from ${issuer.url}/jwks.\n`);
    issuer.keys.push(makeSigningKey('short', 'RS256', 1024), makeSigningKey('two', 'ES384'));

    const refreshed = await keys('issuer', 'refresh');

    expect(refreshed.stderr).toBe(
      `The issuer ${issuer.url} has the keys one, two, from ${issuer.url}/jwks.\n` +
        'Not used is the key short: it has 1024 bits; expected at least 2048.\n',
    );
    expect(await listed('issuer')).toMatchObject([
      {
        url: issuer.url,
        keys: [
          { kid: 'one', algorithms: ['ES256'] },
          { kid: 'two', algorithms: ['ES384'] },
        ],
      },
    ]);
    expect((await keys('issuer', 'list')).stdout).toMatch(/one two .* 0 h\n/);
    expect((await keys('issuer', 'remove', issuer.url)).stderr).toContain('is forgotten');
    expect((await keys('issuer', 'refresh', issuer.url)).error?.message).toContain(
      'There are no keys of the issuer',
    );
  });

  it('takes keys from a file, without asking anybody, and leaves them at a refresh', async () => {
    const file = join(dataDir, 'jwks.json');
    await writeFile(file, issuer.keySet());

    const added = await keys('issuer', 'add', 'https://gitlab.example', '--jwks', file);
    const refreshed = await keys('issuer', 'refresh');

    expect(added.stderr).toBe(`The issuer https://gitlab.example has the keys one, from the file ${file}.\n`);
    expect(refreshed).toMatchObject({ error: undefined, stderr: expect.stringContaining('and stay') });
    expect(issuer.asked.size).toBe(0);
    expect((await keys('issuer', 'add', issuer.url, '--jwks', 'missing.json')).error?.message).toContain(
      'it is not there',
    );
  });
});

describe('the keys of an issuer that are refused', () => {
  let dataDir: string;
  let issuer: OidcIssuer;
  beforeAll(async () => {
    dataDir = await makeTempDir();
    issuer = await startOidcIssuer(undefined, [key]);
  });
  afterEach(() => issuer.answers.clear());
  afterAll(async () => {
    await issuer.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const add = (url = issuer.url) => runVerb(createCommand, dataDir, 'issuer', 'add', url);
  const jwks = (...set: object[]) => JSON.stringify({ keys: set });
  const discovery = '/.well-known/openid-configuration';

  it.each<[string, string, () => { body: string; status?: number; location?: string }, RegExp]>([
    [
      'of another issuer',
      discovery,
      () => ({ body: JSON.stringify({ issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}/jwks` }) }),
      /is of the issuer "http.*\/", expected http/,
    ],
    [
      'at a plain address elsewhere',
      discovery,
      () => ({ body: JSON.stringify({ issuer: issuer.url, jwks_uri: 'http://192.0.2.1/jwks' }) }),
      /is not an https address/,
    ],
    [
      'in a file of this machine',
      discovery,
      () => ({ body: JSON.stringify({ issuer: issuer.url, jwks_uri: 'file:///etc/passwd' }) }),
      /is not an https address/,
    ],
    ['with no discovery', discovery, () => ({ body: '<html></html>' }), /is no discovery document/],
    [
      'behind a redirect',
      '/jwks',
      () => ({ body: '', status: 302, location: `${issuer.url}/moved` }),
      /it redirects to http/,
    ],
    ['that are missing', '/jwks', () => ({ body: '', status: 404 }), /answers 404/],
    ['that are too many', '/jwks', () => ({ body: ' '.repeat(60_000) }), /at most 49152 bytes/],
    ['without end', '/jwks', () => ({ body: ' '.repeat(400_000) }), /more than 196608 bytes/],
    ['of no set', '/jwks', () => ({ body: '{"keys":{}}' }), /expected a JWK Set/],
    ['that are none', '/jwks', () => ({ body: jwks() }), /there is none that can sign tokens/],
    [
      'with a private one',
      '/jwks',
      () => ({ body: jwks({ ...key.privateKey.export({ format: 'jwk' }), kid: 'p' }) }),
      /the key p is a private one/,
    ],
    [
      'with a shared secret',
      '/jwks',
      () => ({ body: jwks({ kty: 'oct', k: 'c2VjcmV0', kid: 'h', alg: 'HS256' }) }),
      /its kind is oct/,
    ],
    ['for encryption', '/jwks', () => ({ body: jwks({ ...key.jwk, use: 'enc' }) }), /not for signatures/],
    [
      'for something else',
      '/jwks',
      () => ({ body: jwks({ ...key.jwk, use: undefined, key_ops: ['encrypt'] }) }),
      /not for signatures/,
    ],
    [
      'for another algorithm',
      '/jwks',
      () => ({ body: jwks({ ...key.jwk, alg: 'ES512' }) }),
      /cannot be used with ES512/,
    ],
    [
      'without an id',
      '/jwks',
      () => ({ body: jwks({ ...key.jwk, kid: undefined }) }),
      /number 1: it has no id/,
    ],
    ['with one id twice', '/jwks', () => ({ body: jwks(key.jwk, key.jwk) }), /two keys have the id one/],
    [
      'with an id for terminals',
      '/jwks',
      () => ({ body: jwks({ ...key.jwk, kid: '\u001b[31mred' }) }),
      /has other characters than visible ASCII/,
    ],
    [
      'of a curve like a member of objects',
      '/jwks',
      () => ({ body: jwks({ ...key.jwk, crv: 'toString' }) }),
      /its kind is EC toString/,
    ],
    [
      'whose exponent is 1',
      '/jwks',
      () => ({
        body: jwks({ kty: 'RSA', n: Buffer.alloc(256, 0xff).toString('base64url'), e: 'AQ', kid: 'e' }),
      }),
      /its exponent is 1/,
    ],
    [
      'that anybody can sign for',
      '/jwks',
      () => ({
        body: jwks({
          kty: 'OKP',
          crv: 'Ed25519',
          x: Buffer.from(`01${'00'.repeat(31)}`, 'hex').toString('base64url'),
          kid: 'o',
        }),
      }),
      /anybody can sign for it/,
    ],
    ['beside the curve', '/jwks', () => ({ body: jwks({ ...key.jwk, x: 'AAAA' }) }), /its values are no key/],
  ])('%s', async (_what, path, answer, problem) => {
    issuer.answers.set(path, answer());

    expect((await add()).error?.message).toMatch(problem);
  });

  it.each(['http://192.0.2.1', 'gitlab', 'https://a.example/?x', 'https://u:p@a.example'])(
    'asks nobody at %s',
    async (url) => {
      expect((await add(url)).code).toBe(2);
    },
  );

  it.skipIf(!hasProgram('openssl'))(
    'over https, unless its certificate is trusted (needs openssl)',
    async () => {
      const authority = await makePrivateAuthority(dataDir);
      const tls = {
        cert: await readFile(authority.certFile, 'utf8'),
        key: await readFile(authority.keyFile, 'utf8'),
      };
      const secure = await startOidcIssuer(tls, [key]);
      // Processes of their own: Node reads NODE_EXTRA_CA_CERTS when it starts.
      const addWith = (env: Readonly<Record<string, string>>) =>
        cli({ DATA_DIR: dataDir, ...env }, 'feed:keys', 'issuer', 'add', secure.url);

      const refused = await addWith({});
      const taken = await addWith({ NODE_EXTRA_CA_CERTS: authority.caFile });

      await secure.stop();
      expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
      expect(taken).toMatchObject({
        code: 0,
        stderr: `The issuer ${secure.url} has the keys one, from ${secure.url}/jwks.\n`,
      });
    },
  );
});

describe('keys that were stored before the rules of today', () => {
  it('are not used, and do not keep their issuer from being listed, refreshed and removed', async () => {
    const dataDir = await makeTempDir();
    const issuer = await startOidcIssuer(undefined, [key]);
    const verb = (...args: string[]) => runVerb(createCommand, dataDir, 'issuer', ...args);
    const other = 'https://gitlab.example';
    await verb('add', issuer.url);
    await writeFile(join(dataDir, 'jwks.json'), issuer.keySet());
    await verb('add', other, '--jwks', join(dataDir, 'jwks.json'));
    const weak = { kty: 'RSA', n: Buffer.alloc(256, 0xff).toString('base64url'), e: 'AQ', kid: 'weak' };
    const db = new Database(join(dataDir, 'catalog.db'));
    const store = db.prepare('UPDATE issuers SET keys = ? WHERE url = ?');
    store.run(JSON.stringify({ keys: [weak, key.jwk] }), issuer.url);
    store.run('of a later version', other);
    db.close();

    const listed = await verb('list', '--json');
    const removed = await verb('remove', other);
    const refreshed = await verb('refresh');

    await issuer.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    const keysOf = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(keysOf).toMatchObject([
      { url: issuer.url, keys: [{ kid: 'one' }] },
      { url: other, keys: [] },
    ]);
    expect(removed).toMatchObject({ error: undefined, stderr: expect.stringContaining('is forgotten') });
    expect(refreshed).toMatchObject({
      error: undefined,
      stderr: expect.stringContaining('has the keys one,'),
    });
  });
});

describe('a backup of before publishers and issuers were changed', () => {
  it('brings back none that was removed, no key that an issuer replaced, and no spent token', async () => {
    const dir = await makeTempDir();
    const dataDir = join(dir, 'data');
    const issuer = await startOidcIssuer(undefined, [key]);
    const gone = await startOidcIssuer();
    const verb = (...args: string[]) => runVerb(createCommand, dataDir, ...args);
    const publisher = ['--issuer', issuer.url, '--scope', 'push', '--audience', 'feed'];
    for (const { url } of [issuer, gone]) await verb('issuer', 'add', url);
    await verb('trust', 'add', '--name', 'acme', '--subject', subject, ...publisher);
    await verb('trust', 'add', '--name', 'kept', '--subject', 'kept', ...publisher);
    const file = join(dir, 'backup.tar');
    expect((await runVerb(createBackup, dataDir, file)).error).toBeUndefined();
    const claims = { sub: 'kept', aud: 'feed' };
    const exchange = async (...tokens: string[]): Promise<unknown[]> => {
      const server = await startTestServer({ dataDir });
      const answers = [];
      for (const token of tokens) {
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ token });
        const answer = await fetch(`${server.url}/api/v1/token`, { method: 'POST', headers, body });
        answers.push(((await answer.json()) as { code?: string }).code ?? answer.status);
      }
      await server.stop();
      return answers;
    };
    issuer.keys.unshift(makeSigningKey('two', 'ES256'));
    await verb('issuer', 'refresh', issuer.url);
    const spent = issuer.token(claims);
    expect(await exchange(spent, issuer.token(claims, { key }))).toEqual([201, 201]);
    await verb('trust', 'remove', 'acme');
    await verb('issuer', 'remove', gone.url);
    issuer.keys.pop();
    await verb('issuer', 'refresh', issuer.url);

    expect((await runVerb(createRestore, dataDir, file, '--replace')).error).toBeUndefined();

    expect((await verb('trust', 'list', '--json')).stdout.trim().split('\n')).toHaveLength(1);
    expect((await verb('issuer', 'list', '--json')).stdout.trim().split('\n')).toMatchObject([
      expect.stringContaining(`"url":"${issuer.url}","keys":[{"kid":"two",`),
    ]);
    const stolen = issuer.token(claims, { key });
    expect(await exchange(spent, stolen, issuer.token(claims))).toEqual([
      'TOKEN_SPENT',
      'TOKEN_INVALID',
      201,
    ]);
    await Promise.all([issuer.stop(), gone.stop()]);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
});
