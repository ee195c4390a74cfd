import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('a push that says what the package was elsewhere', () => {
  const now = new Date('2026-06-01T12:00:00Z');
  let server: TestServer;
  let pushKey: string;
  beforeAll(async () => {
    server = await startTestServer({ server: { now: () => now } });
    const { keys } = server.services;
    const by = { keyId: 'test', keyName: 'test', from: 'test' };
    pushKey = (await keys.create({ name: 'publisher', scopes: ['push', 'unlist'], ids: [] }, by)).key;
  });
  afterAll(() => server.stop());

  const push = (id: string, key: string, headers: Record<string, string>) =>
    fetch(`${server.url}/api/v2/package`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': key, 'Content-Type': 'application/octet-stream', ...headers },
      body: new Uint8Array(makeNupkg({ id, version: '1.0.0' })),
    });
  const rowOf = (id: string) => server.services.catalog.find(id, '1.0.0');

  it.each([
    ['dated', { 'X-Published': '2019-05-01T10:00:00Z' }, '2019-05-01T10:00:00.000Z', true],
    ['zoned', { 'X-Published': '2019-05-01T12:00:00+02:00' }, '2019-05-01T10:00:00.000Z', true],
    ['hidden', { 'X-Listed': 'false' }, now.toISOString(), false],
    [
      'both',
      { 'X-Listed': 'false', 'X-Published': '2019-05-01T10:00:00Z' },
      '2019-05-01T10:00:00.000Z',
      false,
    ],
    ['early', { 'X-Published': '2126-05-01T10:00:00Z' }, now.toISOString(), true],
    ['plain', {}, now.toISOString(), true],
  ])('is trusted when the key is an admin: %s', async (id, headers, published, isListed) => {
    expect((await push(id, server.adminKey, headers)).status).toBe(201);

    const row = await rowOf(id);
    expect([row?.published.toISOString(), row?.isListed]).toEqual([published, isListed]);
  });

  it.each([{ 'X-Published': '2019-05-01T10:00:00Z' }, { 'X-Listed': 'false' }])(
    'is refused with any other key: %j',
    async (headers) => {
      const answer = await push('forged', pushKey, headers as Record<string, string>);

      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain('admin');
      expect(await rowOf('forged')).toBeUndefined();
    },
  );

  it.each([
    ['X-Published', 'yesterday'],
    ['X-Published', '2019-05-01'],
    ['X-Published', '2019-13-41T10:00:00Z'],
    ['X-Listed', 'no'],
  ])('is refused when it is invalid: %s: %s', async (name, value) => {
    const answer = await push('unclear', server.adminKey, { [name]: value });

    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(new RegExp(`The header ${name} is invalid: .*, found "${value}"\\.`));
    expect(await rowOf('unclear')).toBeUndefined();
  });
});
