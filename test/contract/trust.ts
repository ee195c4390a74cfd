import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import { type IssuerKey, readKeySet } from '../../server/trust/issuer-keys.ts';
import type { NewPublisher, Publisher, Redemption, Trust } from '../../server/trust/trust.ts';
import { makeSigningKey } from '../kit/oidc-issuer.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

const day = 86_400_000;
const [one, two] = [makeSigningKey('one', 'ES256'), makeSigningKey('two', 'ES256')];
const keySet = (...keys: { jwk: object }[]) =>
  readKeySet(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })).keys;

const [signer] = keySet(one) as [IssuerKey];

/** What every database does with trusted publishers, issuers and exchanged tokens. */
export function describeTrust(name: string, open: OpenFixture): void {
  describe(`trusted publishing in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const issuer = 'https://issuer.example';
    const acme: NewPublisher = {
      name: 'acme',
      issuer,
      audience: 'https://feed.example',
      subject: 'repo:acme/tools:environment:release',
      claims: [['repository_id', '42']],
      scopes: ['push:beta', 'read'],
      ids: ['delve', 'go*'],
      networks: ['192.0.2.0/24'],
      owner: 'Ann',
      expires: new Date('2026-12-01T00:00:00Z'),
    };
    const unlimited = { ...acme, claims: [], networks: [], owner: undefined, expires: undefined };
    const from = '192.0.2.1';

    async function added(trust: Trust, wanted: NewPublisher = acme): Promise<Publisher> {
      if ((await trust.findIssuer(issuer)) === undefined)
        await trust.setIssuer({ url: issuer, keys: keySet(one), source: 'jwks.json' }, operator);
      await trust.add(wanted, operator);
      return (await trust.list()).find((publisher) => publisher.name === wanted.name) as Publisher;
    }
    const redemption = (publisher: Publisher, token: string): Redemption => ({
      publisher,
      signer,
      token: createHash('sha256').update(token).digest(),
      tokenEnds: new Date(fixture.time.getTime() + 5 * 60_000),
      keyName: `${publisher.name} run 7`,
      expires: new Date(fixture.time.getTime() + 15 * 60_000),
      run: 'repository acme/tools, run 7',
      from,
    });
    const redeemed = async (trust: Trust, publisher: Publisher, token: string) =>
      (await trust.redeem(redemption(publisher, token))) as { id: string; key: string };
    const refusalOf = async (key: string) => (await fixture.keys().find(key, from))?.refusal?.why;
    const audit = async () =>
      (await fixture.audit().list({ limit: 100 })).map(({ change, by }) => [
        change.kind,
        change.subject,
        change.detail,
        by.keyName,
      ]);

    it('keeps every part of a publisher, also over a restart, and one of each name', async () => {
      const trust = fixture.trust();
      const { id, created } = await added(trust);
      fixture.time = new Date('2026-01-02T00:00:00Z');
      await added(trust, { ...unlimited, name: 'other' });

      expect(await trust.add({ ...unlimited, name: 'acme' }, operator)).toBe('exists');
      await fixture.reopen();
      expect(await fixture.trust().list()).toEqual([
        { ...acme, id, created },
        expect.objectContaining({ ...unlimited, name: 'other' }),
      ]);
    });

    it('makes a key of what the publisher may do, and says whose it is', async () => {
      const trust = fixture.trust();
      const publisher = await added(trust);

      const { id, key } = await redeemed(trust, publisher, 'a');

      const { scopes, ids, networks, owner } = acme;
      const terms = { keyId: id, name: 'acme run 7', scopes, ids, networks, owner };
      const expires = new Date(fixture.time.getTime() + 15 * 60_000);
      expect(await fixture.keys().find(key, from)).toMatchObject({ key: { ...terms, expires } });
      expect(await fixture.keys().list()).toMatchObject([{ ...terms, publisher: publisher.id }]);
      expect(await audit()).toContainEqual([
        'token exchanged',
        id,
        'repository acme/tools, run 7, publisher acme, push:beta read, expires 2026-01-01T00:15:00.000Z',
        'acme run 7',
      ]);
    });

    it('exchanges a token once, however often and wherever it is asked at once', async () => {
      const trust = fixture.trust();
      const publisher = await added(trust);

      const outcomes = await Promise.all(
        Array.from({ length: 6 }, () => trust.redeem(redemption(publisher, 'a'))),
      );

      expect(outcomes.filter((outcome) => outcome === 'spent')).toHaveLength(5);
      await fixture.reopen();
      expect(await fixture.trust().redeem(redemption(publisher, 'a'))).toBe('spent');
      expect(await fixture.trust().redeem(redemption(publisher, 'b'))).toHaveProperty('key');
      expect(await fixture.keys().list()).toHaveLength(2);
    });

    it('forgets a token a day after its end, when no server takes it any more, whatever its clock says', async () => {
      const trust = fixture.trust();
      const publisher = await added(trust);
      const first = redemption(publisher, 'a');
      await trust.redeem(first);

      fixture.time = new Date(first.tokenEnds.getTime() + 86_399_000);
      expect(await trust.redeem(redemption(publisher, 'b'))).toHaveProperty('key');
      fixture.time = new Date(first.tokenEnds.getTime() - 60_000);
      expect(await trust.redeem(first)).toBe('spent');
      fixture.time = new Date(first.tokenEnds.getTime() + 86_400_000);
      expect(await trust.redeem(first)).toHaveProperty('key');
    });

    it('ends the keys of a publisher that is removed, and makes no more', async () => {
      const trust = fixture.trust();
      const [publisher, other] = [await added(trust), await added(trust, { ...acme, name: 'other' })];
      const { id, key } = await redeemed(trust, publisher, 'a');
      const { key: others } = await redeemed(trust, other, 'b');

      expect(await trust.remove(publisher.id, operator)).toBe('removed');

      expect(await refusalOf(key)).toBe('revoked');
      expect(await refusalOf(others)).toBeUndefined();
      expect(await trust.redeem(redemption(publisher, 'c'))).toBe('gone');
      expect(await trust.remove(publisher.id, operator)).toBe('missing');
      expect(await trust.list()).toMatchObject([{ name: 'other' }]);
      expect((await audit()).slice(-2)).toEqual([
        ['publisher removed', publisher.id, 'acme', 'operator'],
        ['key revoked', id, 'acme run 7', 'operator'],
      ]);
      expect(await added(trust)).toMatchObject({ name: 'acme' });
    });

    it('makes no key for a token whose issuer was removed, or got other keys, since it was verified', async () => {
      const trust = fixture.trust();
      const publisher = await added(trust);
      await trust.setIssuer({ url: issuer, keys: keySet(two), source: 'jwks.json' }, operator);
      expect(await trust.redeem(redemption(publisher, 'a'))).toBe('gone');
      await trust.setIssuer({ url: issuer, keys: keySet(two, one), source: 'jwks.json' }, operator);
      expect(await trust.redeem(redemption(publisher, 'a'))).toHaveProperty('key');
      await trust.removeIssuer(issuer, operator);
      expect(await trust.redeem(redemption(publisher, 'b'))).toBe('gone');
    });

    it('makes at most 500 keys of a publisher that are good or ended within the hour', async () => {
      const trust = fixture.trust();
      const [publisher, other] = [await added(trust), await added(trust, { ...acme, name: 'other' })];
      const names = Array.from({ length: 500 }, (_, at) => `token ${at}`);
      const made = await Promise.all(names.map((token) => trust.redeem(redemption(publisher, token))));
      expect(made.filter((outcome) => typeof outcome === 'string')).toEqual([]);

      const tokenEnds = new Date(fixture.time.getTime() + day);
      const oneMore = { ...redemption(publisher, 'one more'), tokenEnds };
      expect(await trust.redeem(oneMore)).toBe('many');
      expect(await trust.redeem(redemption(other, 'of another'))).toHaveProperty('key');
      fixture.time = new Date(fixture.time.getTime() + day / 24 + 15 * 60_000);
      // It was not spent when it was refused.
      expect(await trust.redeem(oneMore)).toHaveProperty('key');
    }, 60_000);

    it('ends single keys of a CI job, and gives them no other secret', async () => {
      const trust = fixture.trust();
      const { id, key } = await redeemed(trust, await added(trust), 'a');

      expect(await fixture.keys().rotate(id, { expires: null }, operator)).toBe('exchanged');
      expect(await fixture.keys().revoke(id, operator)).toBe('revoked');
      expect(await refusalOf(key)).toBe('revoked');
    });

    it('takes ended keys out of the list three days later, and no others', async () => {
      const trust = fixture.trust();
      const publisher = await added(trust, { ...unlimited, name: 'acme' });
      const { id: old } = await redeemed(trust, publisher, 'a');
      const expires = new Date(fixture.time.getTime() + 60_000);
      const { id: made } = await fixture
        .keys()
        .create({ name: 'CI', scopes: ['push'], ids: [], expires }, operator);
      const ids = async () => (await fixture.keys().list()).map(({ keyId }) => keyId);

      fixture.time = new Date(fixture.time.getTime() + 3 * day);
      const { id: newer } = await redeemed(trust, publisher, 'b');
      expect((await ids()).sort()).toEqual([old, made, newer].sort());
      fixture.time = new Date(fixture.time.getTime() + day / 24);
      const { id: newest } = await redeemed(trust, publisher, 'c');

      expect((await ids()).sort()).toEqual([made, newer, newest].sort());
      expect((await audit()).map(([, subject]) => subject)).toContain(old);
    });

    it('replaces the keys of an issuer as a whole, and records what changes', async () => {
      const trust = fixture.trust();
      await trust.setIssuer({ url: issuer, keys: keySet(one), source: 'jwks.json' }, operator);
      fixture.time = new Date('2026-01-02T00:00:00Z');
      await trust.setIssuer({ url: issuer, keys: keySet(one), source: 'jwks.json' }, operator);
      await trust.setIssuer({ url: issuer, keys: keySet(two), source: `${issuer}/jwks` }, operator);

      expect(await trust.findIssuer(issuer)).toMatchObject({
        keys: [{ kid: 'two', algorithms: ['ES256'] }],
        source: `${issuer}/jwks`,
        fetched: fixture.time,
      });
      for (const other of [`${issuer}/`, issuer.toUpperCase(), '']) {
        expect(await trust.findIssuer(other)).toBeUndefined();
      }
      expect(await audit()).toEqual([
        ['issuer set', issuer, 'key one, from jwks.json', 'operator'],
        ['issuer set', issuer, `key two, from ${issuer}/jwks`, 'operator'],
      ]);
      await fixture.reopen();
      expect(await fixture.trust().listIssuers()).toMatchObject([{ url: issuer, keys: [{ kid: 'two' }] }]);
    });

    it('forgets an issuer, and ends the keys that were made for its tokens', async () => {
      const trust = fixture.trust();
      await trust.setIssuer({ url: issuer, keys: keySet(one), source: 'jwks.json' }, operator);
      const { key } = await redeemed(trust, await added(trust), 'a');

      expect(await trust.removeIssuer(issuer, operator)).toBe('removed');

      expect(await trust.findIssuer(issuer)).toBeUndefined();
      expect(await refusalOf(key)).toBe('revoked');
      expect(await trust.removeIssuer(issuer, operator)).toBe('missing');
    });
  });
}
