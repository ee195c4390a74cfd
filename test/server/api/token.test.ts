import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeSigningKey, type OidcIssuer, startOidcIssuer } from '../../kit/oidc-issuer.ts';
import { pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

const audience = 'https://feed.example';
const sub = 'repo:acme/tools:ref:refs/heads/main';
/** As GitHub has them. */
const claims = {
  ...{ sub, aud: audience },
  repository: 'acme/tools',
  repository_id: '42',
  job_workflow_ref: 'acme/tools/.github/workflows/release.yml@refs/heads/main',
  run_id: '123456',
  run_attempt: '2',
  sha: '8fe1b322a576d59fe6257052a4107df7dc1b8c78',
  actor: 'ann',
};
const seconds = () => Math.floor(Date.now() / 1000);

/** POST /api/v1/token over HTTP, with tokens of an issuer that signs with real keys. */
describe('exchanging the token of a CI job', () => {
  let server: TestServer;
  let issuer: OidcIssuer;
  let stranger: OidcIssuer;
  let publisher: string;
  const other = makeSigningKey('one');

  async function api(method: string, path: string, json?: unknown) {
    const answer = await fetch(`${server.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const body = await answer.text();
    return { status: answer.status, body: body === '' ? undefined : JSON.parse(body) };
  }
  const addresses = Array.from({ length: 500 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
  /** From an address of its own, so that no refusal slows down the next one. */
  async function exchange(token: string, more: object = {}, from = addresses.pop() ?? '') {
    const answer = await fetch(`${server.url}/api/v1/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
      body: JSON.stringify({ token, ...more }),
    });
    const body = (await answer.json()) as Record<
      'id' | 'key' | 'name' | 'expires' | 'code' | 'title',
      string
    >;
    return { status: answer.status, ...body };
  }
  const setKeys = (keys: string, url = issuer.url) => api('POST', 'issuers', { url, keys, source: 'a test' });
  const add = (json: object) =>
    api('POST', 'publishers', {
      ...{ issuer: issuer.url, audience, subject: sub, scopes: ['push:beta'], ids: ['delve'] },
      ...json,
    });

  beforeAll(async () => {
    issuer = await startOidcIssuer(undefined, [
      makeSigningKey('one'),
      ...['RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'].map((alg) =>
        makeSigningKey(alg, alg),
      ),
    ]);
    stranger = await startOidcIssuer();
    server = await startTestServer({ trustProxy: ['127.0.0.1'] });
    await setKeys(issuer.keySet());
    const added = await add({ name: 'acme', claims: { repository_id: '42' }, owner: 'Ann' });
    publisher = added.body.id;
  });
  afterAll(() => Promise.all([server.stop(), issuer.stop(), stranger.stop()]));

  it('gives a key for the publisher, which publishes, and whose entries lead to the run', async () => {
    const token = issuer.token(claims);

    const made = await exchange(token);

    expect(made).toMatchObject({
      status: 201,
      key: expect.stringMatching(/^gwt_/),
      name: 'acme run 123456',
    });
    const left = Date.parse(made.expires) - Date.now();
    expect(left).toBeGreaterThan(14 * 60_000);
    expect(left).toBeLessThanOrEqual(15 * 60_000);
    expect(
      (await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.0.0-beta.1' }), made.key)).status,
    ).toBe(201);
    expect((await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.0.0' }), made.key)).status).toBe(
      403,
    );
    expect(
      (await pushNupkg(server, makeNupkg({ id: 'buf', version: '1.0.0-beta.1' }), made.key)).status,
    ).toBe(403);
    const { body } = await api('GET', 'audit');
    const entries = body.entries as { kind: string; subject: string; detail: string; keyName: string }[];
    expect(entries.find(({ subject }) => subject === made.id)).toMatchObject({
      kind: 'token exchanged',
      keyName: 'acme run 123456',
      detail: expect.stringMatching(
        /^repository acme\/tools, workflow acme\/tools\/\.github\/workflows\/release\.yml@refs\/heads\/main, run 123456, attempt 2, commit 8fe1b322a576d59fe6257052a4107df7dc1b8c78, actor ann, publisher acme, push:beta, expires /,
      ),
    });
    expect(entries.find(({ kind }) => kind === 'package published')).toMatchObject({
      keyName: 'acme run 123456',
    });
    const keys = (await api('GET', 'keys')).body as { id: string }[];
    expect(keys.find(({ id }) => id === made.id)).toMatchObject({ publisher, state: 'active', owner: 'Ann' });
    for (const part of token.split('.')) expect(server.logged()).not.toContain(part);
    expect(server.logged()).not.toContain(made.key);
  });

  it.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'takes a signature by %s',
    async (alg) => {
      const key = issuer.keys.find((one) => one.alg === alg)!;
      const altered = issuer.token(claims, { key }).replace(/.{8}$/, 'AAAAAAAA');

      expect((await exchange(issuer.token(claims, { key }))).status).toBe(201);
      expect((await exchange(altered)).code).toBe('TOKEN_INVALID');
    },
  );

  /** The answer to none of them names an issuer, a key or a claim that would fit. */
  const unproven: Readonly<Record<string, () => string>> = {
    'a token without a signature': () =>
      issuer.token(claims, { header: { alg: 'none' }, signature: () => Buffer.alloc(0) }),
    'alg none with some signature': () =>
      issuer.token(claims, { header: { alg: 'none' }, signature: () => Buffer.from('x') }),
    'HS256 with the public key as secret': () => {
      const secret = JSON.stringify(issuer.keys[0]?.jwk);
      const signature = (text: string) => createHmac('sha256', secret).update(text).digest();
      return issuer.token(claims, { header: { alg: 'HS256' }, signature });
    },
    'another algorithm than the key is for': () => issuer.token(claims, { header: { alg: 'RS512' } }),
    'an unknown key': () => issuer.token(claims, { header: { kid: 'two' } }),
    'no key named': () => issuer.token(claims, { header: { kid: undefined } }),
    "another key under the issuer's id": () => issuer.token(claims, { key: other }),
    'another key that the token brings itself': () =>
      issuer.token(claims, { key: other, header: { jwk: other.jwk, jku: `${stranger.url}/jwks` } }),
    'an issuer that nobody has set': () => stranger.token(claims),
    "another issuer's token in this one's name": () => stranger.token({ ...claims, iss: issuer.url }),
    "the issuer's address with a slash": () => issuer.token({ ...claims, iss: `${issuer.url}/` }),
    'a crit header': () => issuer.token(claims, { header: { crit: ['b64'], b64: true } }),
    'an empty crit header': () => issuer.token(claims, { header: { crit: [] } }),
    'another type': () => issuer.token(claims, { header: { typ: 'at+jwt' } }),
    'the same claim twice': () =>
      issuer.token(
        {},
        {
          body: `{"sub":"x",${JSON.stringify({ iss: issuer.url, ...claims, iat: seconds(), exp: seconds() + 60 }).slice(1)}`,
        },
      ),
    'a claim that differs in case': () => issuer.token({ ...claims, SUB: 'x' }),
    'deep claims': () => issuer.token({ ...claims, deep: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) }),
    'no end': () => issuer.token({ ...claims, exp: undefined }),
    'no time of issue': () => issuer.token({ ...claims, iat: undefined }),
    'an end in words': () => issuer.token({ ...claims, exp: String(seconds() + 60) }),
    'no subject': () => issuer.token({ ...claims, sub: undefined }),
    'no audience': () => issuer.token({ ...claims, aud: undefined }),
    'claims that are a list': () => issuer.token({}, { body: '[]' }),
    'claims that are no JSON': () => issuer.token({}, { body: '{' }),
    'altered claims': () => {
      const [head, , tail] = issuer.token(claims).split('.');
      const body = Buffer.from(
        JSON.stringify({ ...claims, iss: issuer.url, iat: seconds(), exp: seconds() + 60 }),
      );
      return `${head}.${body.toString('base64url')}.${tail}`;
    },
    'two parts': () => issuer.token(claims).split('.').slice(0, 2).join('.'),
    'four parts': () => `${issuer.token(claims)}.x`,
    'blanks around it': () => ` ${issuer.token(claims)} `,
    'no token': () => 'hello',
  };
  it.each(Object.keys(unproven))('tells nothing about %s', async (name) => {
    const { status, code, title } = await exchange((unproven[name] as () => string)());

    expect([status, code]).toEqual([403, 'TOKEN_INVALID']);
    expect(title).toContain('`feed:keys issuer refresh` fetches new ones');
    expect(title).not.toMatch(/acme|127\.0\.0\.1|feed\.example/);
  });

  it.each<[string, object, string, RegExp]>([
    ['a subject in other case', { sub: sub.toUpperCase() }, 'TOKEN_SUBJECT', /REPO:ACME/],
    ['a longer subject', { sub: `${sub}/x` }, 'TOKEN_SUBJECT', /heads\/main\/x"/],
    ['a subject with a line end', { sub: `${sub}\n` }, 'TOKEN_SUBJECT', /main\\n"/],
    ['a shorter subject', { sub: sub.slice(0, -1) }, 'TOKEN_SUBJECT', /heads\/mai"/],
    ['a subject behind another', { sub: `x${sub}` }, 'TOKEN_SUBJECT', /"xrepo/],
    ['a pattern as subject', { sub: 'repo:acme/tools:*' }, 'TOKEN_SUBJECT', /\*/],
    [
      'another audience',
      { aud: 'https://other.example' },
      'TOKEN_CLAIM',
      /the audience "https:\/\/feed.example", found "https:\/\/other.example"/,
    ],
    ['an audience in other case', { aud: audience.toUpperCase() }, 'TOKEN_CLAIM', /HTTPS/],
    ['two audiences', { aud: [audience, 'https://other.example'] }, 'TOKEN_CLAIM', /other\.example/],
    ['the audience twice', { aud: [audience, audience] }, 'TOKEN_CLAIM', /the audience/],
    ['no audience in a list', { aud: [] }, 'TOKEN_CLAIM', /the audience/],
    [
      'another repository of the name',
      { repository_id: '43' },
      'TOKEN_CLAIM',
      /the claim repository_id "42", found "43"/,
    ],
    ['a longer id', { repository_id: '42 ' }, 'TOKEN_CLAIM', /found "42 "/],
    [
      'no id',
      { repository_id: undefined },
      'TOKEN_CLAIM',
      /expects the claim repository_id "42", found none/,
    ],
    ['a list with the id', { repository_id: ['42'] }, 'TOKEN_CLAIM', /found \["42"\]/],
    ['an object for the id', { repository_id: { toString: '42' } }, 'TOKEN_CLAIM', /repository_id/],
  ])('says what does not fit: %s', async (_what, changed, code, sentence) => {
    const answer = await exchange(issuer.token({ ...claims, ...changed }));

    expect([answer.status, answer.code]).toEqual([403, code]);
    expect(answer.title).toMatch(sentence);
  });

  it('tells a stranger of the issuer nothing of what publishers expect', async () => {
    const { title } = await exchange(issuer.token({ ...claims, sub: 'repo:mallory/x:ref:refs/heads/main' }));

    expect(title).not.toMatch(/acme|42|feed\.example/);
  });

  it('takes an id that is a number, and an audience in a list', async () => {
    expect((await exchange(issuer.token({ ...claims, repository_id: 42, aud: [audience] }))).status).toBe(
      201,
    );
  });

  it.each<[string, () => object, RegExp | undefined]>([
    ['ended within the skew', () => ({ iat: seconds() - 600, exp: seconds() - 50 }), undefined],
    ['ended before it', () => ({ iat: seconds() - 600, exp: seconds() - 60 }), /it ended at 20\d\d-/],
    ['valid soon', () => ({ nbf: seconds() + 50 }), undefined],
    ['valid later', () => ({ nbf: seconds() + 70 }), /it is not valid before/],
    ['issued by a fast clock', () => ({ iat: seconds() + 50 }), undefined],
    ['issued in the future', () => ({ iat: seconds() + 70, exp: seconds() + 600 }), /which is in the future/],
    ['an hour old', () => ({ iat: seconds() - 3650, exp: seconds() + 9999 }), undefined],
    [
      'older, with a later end',
      () => ({ iat: seconds() - 3660, exp: seconds() + 9999 }),
      /more than an hour ago/,
    ],
  ])('allows a minute of clock skew: %s', async (_what, changed, problem) => {
    const answer = await exchange(issuer.token({ ...claims, ...changed() }));

    if (problem === undefined) expect(answer.status).toBe(201);
    else expect(answer).toMatchObject({ code: 'TOKEN_TIME', title: expect.stringMatching(problem) });
  });

  it('exchanges a token once: by its id, else by what is signed, however its signature is written', async () => {
    const key = issuer.keys.find(({ alg }) => alg === 'ES256')!;
    const [byId, bySignature] = [issuer.token(claims), issuer.token({ ...claims, jti: undefined }, { key })];
    // (r, s) and (r, n - s) are both right for one text.
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const [head, body, tail = ''] = bySignature.split('.');
    const raw = Buffer.from(tail, 'base64url');
    const s = order - BigInt(`0x${raw.subarray(32).toString('hex')}`);
    const mirrored = Buffer.concat([
      raw.subarray(0, 32),
      Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
    ]);
    const again = [head, body, mirrored.toString('base64url')].join('.');
    expect((await exchange(byId)).status).toBe(201);
    expect((await exchange(bySignature)).status).toBe(201);

    const sameId = issuer.token({
      ...claims,
      jti: JSON.parse(Buffer.from(byId.split('.')[1]!, 'base64url').toString()).jti,
      run_id: '9',
    });
    for (const token of [byId, sameId, bySignature, again]) {
      expect(await exchange(token)).toMatchObject({ status: 403, code: 'TOKEN_SPENT' });
    }
  });

  it('gives a key once to those who ask at the same time', async () => {
    const token = issuer.token(claims);

    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(token)));

    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(403)]);
  });

  it.each<[string, object | string, number, string]>([
    ['a huge token', { token: 'a.b.'.padEnd(13_000, 'c') }, 400, 'BODY_INVALID'],
    ['a huge body', { token: 'x', more: 'y'.repeat(20_000) }, 413, 'BODY_TOO_LARGE'],
    ['no token', {}, 400, 'BODY_INVALID'],
    ['a list of tokens', { token: ['a.b.c'] }, 400, 'BODY_INVALID'],
    ['a long life', { token: 'a.b.c', lifetime: '61m' }, 400, 'BODY_INVALID'],
    ['no life', { token: 'a.b.c', lifetime: '0m' }, 400, 'BODY_INVALID'],
    ['an unknown field', { token: 'a.b.c', scopes: ['admin'] }, 400, 'BODY_INVALID'],
  ])('refuses %s', async (_what, body, status, code) => {
    const answer = await fetch(`${server.url}/api/v1/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
  });

  it.each(['token', 'publishers'])('refuses a field named __proto__ at %s', async (path) => {
    const answer = await fetch(`${server.url}/api/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' },
      body: '{"claims":{"__proto__":"x"}}',
    });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'BODY_INVALID' });
  });

  it('refuses a token in the address', async () => {
    const answer = await fetch(`${server.url}/api/v1/token?token=${issuer.token(claims)}`);

    expect(answer.status).toBe(405);
  });

  describe('several publishers', () => {
    const subject = 'project_path:acme/tools:ref_type:branch:ref:main';
    const gitlab = {
      sub: subject,
      aud: audience,
      project_path: 'acme/tools',
      pipeline_id: '77',
      job_id: '5',
      sha: 'abc',
      user_login: 'bob',
    };
    beforeEach(async () => {
      for (const { id, name } of (await api('GET', 'publishers')).body)
        if (name !== 'acme') await api('DELETE', `publishers/${id}`);
    });

    it('asks which is meant where several fit', async () => {
      await add({ name: 'main', subject, scopes: ['push'], ids: ['delve'] });
      await add({ name: 'rest', subject, scopes: ['push:beta'], ids: ['buf'] });

      expect(await exchange(issuer.token(gitlab))).toMatchObject({
        status: 409,
        code: 'TOKEN_AMBIGUOUS',
        title: expect.stringContaining('main, rest'),
      });
      expect(await exchange(issuer.token(gitlab), { publisher: 'rest' })).toMatchObject({
        status: 201,
        name: 'rest run 77',
      });
      expect(await exchange(issuer.token(gitlab), { publisher: 'acme' })).toMatchObject({
        status: 403,
        code: 'TOKEN_SUBJECT',
      });
    });

    it('never gives a key that outlives the publisher, nor one for more than an hour', async () => {
      const expires = new Date(Date.now() + 20 * 60_000).toISOString();
      await add({ name: 'short', subject, expires });
      expect(await exchange(issuer.token(gitlab), { lifetime: '1h' })).toMatchObject({ expires });
      await add({ name: 'long', subject });

      const made = await exchange(issuer.token(gitlab), { lifetime: '1h', publisher: 'long' });

      expect(Date.parse(made.expires) - Date.now()).toBeGreaterThan(59 * 60_000);
    });

    it('keeps to the networks of the publisher', async () => {
      await add({ name: 'elsewhere', subject, networks: ['192.0.2.0/24'] });

      expect(await exchange(issuer.token(gitlab))).toMatchObject({ status: 403, code: 'TOKEN_NETWORK' });
    });

    it('ends a key with its publisher, also in the middle of an upload', async () => {
      const { id } = (await add({ name: 'ending', subject, ids: [] })).body;
      const { key } = await exchange(issuer.token(gitlab));
      const nupkg = makeNupkg({ id: 'cut', version: '1.0.0-beta.1' });
      const half = Math.floor(nupkg.length / 2);
      let finish: () => void = () => undefined;
      const removed = new Promise<void>((resolve) => {
        finish = resolve;
      });
      const body = async function* () {
        yield nupkg.subarray(0, half);
        await removed;
        yield nupkg.subarray(half);
      };
      const upload = fetch(`${server.url}/dl/cut/1.0.0-beta.1/cut-windows-amd64.exe`, {
        method: 'PUT',
        headers: { 'x-nuget-apikey': key },
        body: body(),
        duplex: 'half',
      } as unknown as RequestInit);

      await api('DELETE', `publishers/${id}`);
      finish();

      expect((await upload).status).toBe(403);
      expect((await pushNupkg(server, nupkg, key)).status).toBe(403);
      expect(await exchange(issuer.token(gitlab))).toMatchObject({ code: 'TOKEN_SUBJECT' });
    });

    it.each<[string, object, RegExp]>([
      [
        'the scope admin',
        { scopes: ['admin'] },
        /expected one of read, push:beta, push, unlist, rollout, alert$/,
      ],
      ['the scope approve', { scopes: ['rollout', 'approve'] }, /expected one of read/],
      ['no scope', { scopes: [] }, /scopes/],
      ['a pattern as subject', { subject: 'repo:acme/*' }, /it is never a pattern/],
      ['a claim that is no text', { claims: { repository_id: 42 } }, /claims/],
      ['a claim for the subject', { claims: { sub: 'x' } }, /others than iss, sub/],
      ['an issuer that is no address', { issuer: 'github' }, /such as https:\/\/token/],
      ['an issuer with a query', { issuer: 'https://a.example/?' }, /issuer/],
      ['an end in the past', { expires: '2020-01-01T00:00:00Z' }, /not in the future/],
      ['a name that exists', { name: 'acme' }, /already a trusted publisher named acme/],
    ])('adds none with %s', async (_what, json, problem) => {
      const { status, body } = await api('POST', 'publishers', {
        ...{ name: 'x', issuer: issuer.url, subject, scopes: ['push'] },
        ...json,
      });

      expect([400, 409]).toContain(status);
      expect(body.title).toMatch(problem);
    });

    it('stands for PUBLIC_URL as audience where none is said', async () => {
      await api('POST', 'publishers', { name: 'plain', issuer: issuer.url, subject, scopes: ['push'] });

      expect((await api('GET', 'publishers')).body).toContainEqual(
        expect.objectContaining({ name: 'plain', audience: server.url, claims: {}, ids: [], owner: null }),
      );
    });
  });

  it('refuses tokens of keys that the issuer no longer has, and of an issuer that is removed', async () => {
    const gone = await startOidcIssuer();
    await setKeys(gone.keySet(), gone.url);
    await add({ name: 'gone', issuer: gone.url });
    const old = gone.token({ ...claims });
    gone.keys.unshift(makeSigningKey('new', 'ES256'));
    expect((await exchange(gone.token(claims))).code).toBe('TOKEN_INVALID');
    gone.keys.pop();
    await setKeys(gone.keySet(), gone.url);
    const { key } = await exchange(gone.token(claims));
    expect(key).toMatch(/^gwt_/);
    expect((await exchange(old)).code).toBe('TOKEN_INVALID');

    const [{ id }] = (await api('GET', 'issuers')).body.filter(
      ({ url }: { url: string }) => url === gone.url,
    );
    expect((await api('DELETE', `issuers/${id}`)).status).toBe(204);

    expect((await exchange(gone.token(claims))).code).toBe('TOKEN_INVALID');
    const own = await fetch(`${server.url}/api/v1/key`, { headers: { 'x-nuget-apikey': key } });
    expect(own.status).toBe(403);
    expect((await api('DELETE', `issuers/${id}`)).status).toBe(404);
    await gone.stop();
  });

  describe('while something changes between the look and the key', () => {
    const change = (work: () => Promise<unknown>): void => {
      const { trust } = server.services;
      const { redeem } = trust;
      trust.redeem = async (redemption) => {
        trust.redeem = redeem;
        await work();
        return redeem(redemption);
      };
    };

    it('says what is so by then: the key of the issuer, the publisher', async () => {
      const changing = await startOidcIssuer();
      await setKeys(changing.keySet(), changing.url);
      const { body } = await add({ name: 'changing', issuer: changing.url });
      const old = changing.token(claims);
      change(async () => {
        changing.keys.splice(0, 1, makeSigningKey('new', 'ES256'));
        await setKeys(changing.keySet(), changing.url);
      });
      expect((await exchange(old)).code).toBe('TOKEN_INVALID');

      const token = changing.token(claims);
      change(() => api('DELETE', `publishers/${body.id}`));
      expect((await exchange(token)).code).toBe('TOKEN_SUBJECT');

      const first = await add({ name: 'first', issuer: changing.url });
      change(async () => {
        await api('DELETE', `publishers/${first.body.id}`);
        await add({ name: 'second', issuer: changing.url, scopes: ['read'] });
      });
      expect(await exchange(token)).toMatchObject({ status: 201, name: 'second run 123456' });
      await changing.stop();
    });
  });

  it('answers 429 when a publisher has had too many keys, and goes on for the others', async () => {
    const subject = 'repo:acme/loop:ref:refs/heads/main';
    await add({ name: 'loop', subject });
    const key = issuer.keys.find(({ alg }) => alg === 'EdDSA')!;
    const once = (sub = subject) => exchange(issuer.token({ ...claims, sub }, { key }), {}, '10.8.8.8');
    const made = await Promise.all(Array.from({ length: 500 }, () => once()));
    expect(made.filter(({ status }) => status !== 201)).toEqual([]);

    expect(await once()).toMatchObject({
      status: 429,
      code: 'TOKEN_MANY',
      title: expect.stringContaining('The publisher loop already has 500 keys'),
    });
    expect((await once(sub)).status).toBe(201);
  }, 60_000);

  it.each(['publishers', 'issuers'])('shows and changes %s for administrators only', async (what) => {
    const { key } = await exchange(issuer.token(claims));
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(`${server.url}/api/v1/${what}`, {
        method,
        headers: { 'x-nuget-apikey': key },
      });
      expect(answer.status).toBe(403);
    }
    expect((await fetch(`${server.url}/api/v1/${what}/x`, { method: 'DELETE' })).status).toBe(401);
  });

  it('slows down whoever goes on sending tokens that are no good', async () => {
    const guesses = Array.from({ length: 30 }, (_, at) => exchange(`a.${at}.c`, {}, '10.9.9.9'));
    const started = performance.now();
    await Promise.all(guesses);

    expect(performance.now() - started).toBeGreaterThan(500);
  });
});
