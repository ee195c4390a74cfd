import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Actor, actorOf, operator } from '../../server/audit/audit.ts';
import type { NewKey } from '../../server/keys/keys.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with keys. */
export function describeKeys(name: string, open: OpenFixture): void {
  describe(`keys in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const create = (adminApiKey?: string) => fixture.keys(adminApiKey);
    const ci: NewKey = { name: 'CI', scopes: ['push:beta', 'read'], ids: ['delve', 'go*'] };
    const unlimited = { clients: [], networks: [], owner: undefined, expires: undefined };
    const from = '192.0.2.1';

    it('finds the key of a secret', async () => {
      const keys = create();
      const { id, key } = await keys.create(ci, operator);

      expect(await keys.find(key, from)).toMatchObject({ key: { keyId: id, ...ci, ...unlimited } });
    });

    it('creates keys that nobody can guess and everybody can recognize as ours', async () => {
      const keys = create();
      const made = await Promise.all(Array.from({ length: 20 }, () => keys.create(ci, operator)));

      for (const { id, key } of made) {
        expect(key).toMatch(/^gwt_[A-Za-z0-9_-]{43}$/);
        expect(id).toMatch(/^[0-9a-f]{16}$/);
      }
      expect(new Set(made.map(({ key }) => key)).size).toBe(20);
    });

    it.each(['', 'gwt_', 'gwt_AAAA', 'admin', "' OR 1=1 --", 'ADMIN_API_KEY'])(
      'does not know %j',
      async (key) => {
        const keys = create('the admin key');
        await keys.create(ci, operator);

        expect(await keys.find(key, from)).toBeUndefined();
      },
    );

    it('still knows keys after reopening', async () => {
      const { id, key } = await create().create(ci, operator);
      await fixture.reopen();

      expect(await create().find(key, from)).toMatchObject({ key: { keyId: id } });
    });

    it('lets its holder change nothing after it was revoked, though it was found before', async () => {
      const keys = create();
      const { id } = await keys.create(ci, operator);
      const holder = actorOf({ keyId: id, name: ci.name }, from);
      const payload = { tool: 'delve', file: 'delve.exe', sha256: 'f'.repeat(64), sizeBytes: 1 };
      const add = (version: string, by: Actor) =>
        fixture.payloads().add({ ...payload, version, created: fixture.time }, by);
      expect(await add('1.0.0', holder)).toBe('added');
      await keys.revoke(id, operator);
      const { length } = await fixture.audit().list({ limit: 100 });

      await expect(add('1.1.0', holder)).rejects.toMatchObject({ code: 'KEY_REVOKED', status: 403 });

      expect(await fixture.payloads().find('delve', '1.1.0', 'delve.exe')).toBeUndefined();
      expect(await fixture.audit().list({ limit: 100 })).toHaveLength(length);
      // What was decided before, and what has happened already.
      const { isPresent: _, ...kept } = holder;
      expect(await add('1.2.0', kept)).toBe('added');
      await fixture.bucketEvents().record([{ ref: 'refs/heads/main', from: undefined, to: 'a' }], holder);
      expect(await fixture.audit().list({ limit: 100 })).toHaveLength(length + 2);
    });

    it('may revoke itself', async () => {
      const keys = create();
      const { id, key } = await keys.create(ci, operator);
      const holder = actorOf({ keyId: id, name: ci.name }, from);

      expect(await keys.revoke(id, holder)).toBe('revoked');

      expect(await keys.find(key, from)).toMatchObject({ refusal: { why: 'revoked' } });
      await expect(keys.create(ci, holder)).rejects.toMatchObject({ code: 'KEY_REVOKED' });
    });

    it('refuses a revoked key, and keeps its row for the audit log', async () => {
      const keys = create();
      const { id, key } = await keys.create(ci, operator);

      expect(await keys.revoke(id, operator)).toBe('revoked');
      expect(await keys.find(key, from)).toMatchObject({ refusal: { why: 'revoked', at: fixture.time } });
      expect(await keys.revoke(id, operator)).toBe('missing');
      expect(await keys.list()).toMatchObject([{ keyId: id, revoked: fixture.time }]);
    });

    it('lists keys, oldest first, without their secrets', async () => {
      const keys = create('the admin key');
      const first = await keys.create(ci, operator);
      fixture.time = new Date('2026-01-02T00:00:00Z');
      const second = await keys.create({ name: 'Ops', scopes: ['admin'], ids: [] }, operator);

      const list = await keys.list();

      expect(list).toMatchObject([
        { keyId: first.id, ...ci, ...unlimited, created: new Date('2026-01-01T00:00:00Z') },
        {
          keyId: second.id,
          name: 'Ops',
          scopes: ['admin'],
          ids: [],
          ...unlimited,
          created: new Date('2026-01-02T00:00:00Z'),
        },
      ]);
      expect(JSON.stringify(list)).not.toContain(first.key);
    });

    it('records the last use at once, durably after a flush', async () => {
      const keys = create();
      const { key } = await keys.create(ci, operator);
      fixture.time = new Date('2026-03-01T00:00:00Z');
      await keys.find(key, from);
      fixture.time = new Date('2026-03-02T00:00:00Z');
      await keys.find(key, from);

      expect(await keys.list()).toMatchObject([{ lastUsed: fixture.time }]);
      expect(await create().list()).toMatchObject([{ lastUsed: undefined }]);
      await keys.flush();
      expect(await create().list()).toMatchObject([{ lastUsed: fixture.time }]);
    });

    it('accepts ADMIN_API_KEY with every scope, and does not list it', async () => {
      const keys = create('the admin key');

      expect(await keys.find('the admin key', from)).toMatchObject({
        key: { scopes: ['admin'], ids: [] },
      });
      expect(await keys.list()).toEqual([]);
      expect(await create().find('the admin key', from)).toBeUndefined();
    });

    it('keeps every limit of a key, also over a restart', async () => {
      const limits = {
        clients: ['pc-*'],
        networks: ['192.0.2.0/24'],
        owner: 'Ann',
        expires: new Date('2026-02-01T00:00:00Z'),
      };
      const { key } = await create().create({ ...ci, ...limits }, operator);

      expect(await create().find(key, from)).toMatchObject({ key: { ...ci, ...limits } });
      expect(await create().list()).toMatchObject([{ ...ci, ...limits, rotated: undefined }]);
    });

    it('refuses a key after its expiry, and from other networks', async () => {
      const keys = create();
      const expires = new Date('2026-02-01T00:00:00Z');
      const { key } = await keys.create({ ...ci, networks: ['192.0.2.0/24'], expires }, operator);

      for (const elsewhere of ['198.51.100.1', '::1', '', undefined]) {
        expect(await keys.find(key, elsewhere)).toMatchObject({ refusal: { why: 'network' } });
      }
      fixture.time = new Date(expires.getTime() - 1);
      expect((await keys.find(key, '::ffff:192.0.2.7'))?.refusal).toBeUndefined();
      fixture.time = expires;
      expect(await keys.find(key, from)).toMatchObject({ refusal: { why: 'expired', at: expires } });
      expect(await keys.list()).toMatchObject([{ lastUsed: new Date(expires.getTime() - 1) }]);
    });

    describe('rotating', () => {
      it('replaces the secret at once and keeps everything else', async () => {
        const keys = create();
        const { id, key: old } = await keys.create({ ...ci, owner: 'Ann' }, operator);
        await keys.find(old, from);
        const before = await keys.list();
        fixture.time = new Date('2026-01-05T00:00:00Z');

        const made = await keys.rotate(id, {}, operator);

        const { key } = made as { key: string };
        expect(key).toMatch(/^gwt_[A-Za-z0-9_-]{43}$/);
        expect(await keys.list()).toEqual(before.map((one) => ({ ...one, rotated: fixture.time })));
        expect(await keys.find(old, from)).toMatchObject({ refusal: { why: 'rotated', at: fixture.time } });
        expect(await keys.find(key, from)).toMatchObject({ key: { keyId: id, ...ci, owner: 'Ann' } });
      });

      it('lets the old secret end later, but not after the next rotation without an overlap', async () => {
        const keys = create();
        const { id, key: first } = await keys.create(ci, operator);
        const oldEnds = new Date('2026-01-03T00:00:00Z');
        const { key: second } = (await keys.rotate(id, { oldEnds }, operator)) as { key: string };
        expect((await keys.find(first, from))?.refusal).toBeUndefined();

        const { key: third } = (await keys.rotate(id, {}, operator)) as { key: string };

        for (const old of [first, second]) {
          expect(await keys.find(old, from)).toMatchObject({ refusal: { why: 'rotated', at: fixture.time } });
        }
        const { key: fourth } = (await keys.rotate(id, { oldEnds }, operator)) as { key: string };
        expect((await keys.find(third, from))?.refusal).toBeUndefined();
        fixture.time = oldEnds;
        expect(await keys.find(third, from)).toMatchObject({ refusal: { why: 'rotated', at: oldEnds } });
        expect((await keys.find(fourth, from))?.refusal).toBeUndefined();
      });

      it('lets no secret outlive its replacement', async () => {
        const keys = create();
        const { id, key: first } = await keys.create(ci, operator);
        const { key: second } = (await keys.rotate(
          id,
          { oldEnds: new Date('2026-04-01T00:00:00Z') },
          operator,
        )) as { key: string };
        const oldEnds = new Date('2026-01-01T01:00:00Z');

        await keys.rotate(id, { oldEnds }, operator);

        for (const old of [first, second]) expect((await keys.find(old, from))?.refusal).toBeUndefined();
        fixture.time = oldEnds;
        for (const old of [first, second]) {
          expect(await keys.find(old, from)).toMatchObject({ refusal: { why: 'rotated', at: oldEnds } });
        }
      });

      it('ends every secret of a revoked key, and revives none', async () => {
        const keys = create();
        const { id, key: old } = await keys.create(ci, operator);
        const oldEnds = new Date('2027-01-01T00:00:00Z');
        const { key } = (await keys.rotate(id, { oldEnds }, operator)) as { key: string };
        await keys.revoke(id, operator);

        expect(await keys.rotate(id, {}, operator)).toBe('missing');
        for (const secret of [old, key]) {
          expect(await keys.find(secret, from)).toMatchObject({ refusal: { why: 'revoked' } });
        }
        expect(await keys.rotate('0000000000000000', {}, operator)).toBe('missing');
      });

      it('extends an expired key, and creates no secret that would already be expired', async () => {
        const keys = create();
        const { id, key: old } = await keys.create({ ...ci, expires: fixture.time }, operator);

        expect(await keys.rotate(id, {}, operator)).toBe('expired');
        expect(await keys.find(old, from)).toMatchObject({ refusal: { why: 'expired' } });
        const expires = new Date('2026-06-01T00:00:00Z');
        const { key } = (await keys.rotate(id, { expires }, operator)) as { key: string };
        expect(await keys.find(key, from)).toMatchObject({ key: { expires } });
        const { key: endless } = (await keys.rotate(id, { expires: null }, operator)) as { key: string };
        expect(await keys.find(endless, from)).toMatchObject({ key: { expires: undefined } });
      });
    });

    it('writes into the audit log who made, rotated and revoked a key, and never the key', async () => {
      const keys = create();
      const limits = { networks: ['192.0.2.0/24'], clients: ['pc-*'], owner: 'Ann' };
      const expires = new Date('2026-02-01T00:00:00Z');
      const { id, key } = await keys.create({ ...ci, ...limits, expires }, operator);
      const by = { keyId: 'k', keyName: 'ops', from };
      const rotated = (await keys.rotate(id, { oldEnds: expires, expires: null }, by)) as { key: string };
      await keys.revoke(id, by);

      const entries = await fixture.audit().list({ limit: 10 });

      expect(
        entries.map(({ change, by: { keyName } }) => [change.kind, change.subject, change.detail, keyName]),
      ).toEqual([
        [
          'key created',
          id,
          'CI, push:beta read, ids delve go*, clients pc-*, networks 192.0.2.0/24, owner Ann, expires 2026-02-01T00:00:00.000Z',
          'operator',
        ],
        ['key rotated', id, 'CI, the old secret ends 2026-02-01T00:00:00.000Z, no expiry', 'ops'],
        ['key revoked', id, 'CI', 'ops'],
      ]);
      for (const secret of [key, rotated.key]) expect(JSON.stringify(entries)).not.toContain(secret);
    });
  });
}
