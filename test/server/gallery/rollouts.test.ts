import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { positionOf } from '../../../server/rollout/position.ts';
import { type RolloutServer, startRolloutServer } from '../api/rollout-server.ts';

const plan = {
  steps: [
    { ring: 'canary', hold: '4h' },
    { percent: 50, hold: '90m', needs: 20 },
  ],
};

describe('the pages of rollouts', () => {
  let server: RolloutServer;
  let key: string;
  beforeEach(async () => {
    server = await startRolloutServer([{ glob: 'buf', owners: 1 }]);
    server.held.add('delve 1.22.0').add('buf 1.33.0');
    await server.see('it-1', 'pc-1');
    await server.setRing('canary', 'it-*');
    key = await server.key(['push', 'rollout'], { owner: 'ann <b>' });
    await start('delve', '1.22.0');
  });
  afterEach(() => server.stop());

  async function start(tool: string, version: string): Promise<void> {
    const [status] = await server.call('POST', '/rollouts', key, { tool, version, plan, reason: 'R & D' });
    expect(status).toBe(201);
  }

  async function page(path: string): Promise<string> {
    const answer = await fetch(`${server.url}${path}`, { headers: { Accept: 'text/html' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    return answer.text();
  }

  const own = (): Record<string, string> => ({ Origin: server.url });
  function send(action: string, fields: Record<string, string>, headers = own(), id = 1): Promise<Response> {
    const body = new URLSearchParams(fields);
    return fetch(`${server.url}/rollouts/${id}/${action}`, {
      method: 'POST',
      body,
      headers,
      redirect: 'manual',
    });
  }
  async function stateNow(): Promise<unknown> {
    return (await server.rollouts.find(1))?.state;
  }

  it('list open rollouts before those that have ended', async () => {
    await start('buf', '1.33.0');
    await server.call('POST', '/rollouts/1/rollback', key);

    const html = await page('/rollouts');

    expect(html.indexOf('buf 1.33.0')).toBeGreaterThan(html.indexOf('id="open"'));
    expect(html.indexOf('buf 1.33.0')).toBeLessThan(html.indexOf('id="ended"'));
    expect(html.indexOf('delve 1.22.0')).toBeGreaterThan(html.indexOf('id="ended"'));
  });

  it('show state, next step, who has it, who did what and why, and the commands', async () => {
    const html = await page('/rollouts/1');

    for (const text of [
      'ring canary',
      '50 % of machines',
      '1 of 2',
      '2026-11-30 13:00 UTC',
      '2 known, 1 reached by the steps so far',
      '0 offered 1.22.0, 0 received it',
      'the end of the hold',
      '90m',
      'R &amp; D',
      'ann &lt;b>',
      'npx -y pnpm@10 release:rollout rollback delve --reason TEXT',
    ]) {
      expect(html).toContain(text);
    }
    expect(html).not.toContain('<b>');
    expect(html).not.toContain('<script');
  });

  it('name the machines of a version that was taken back', async () => {
    await server.call('POST', '/rollouts/1/rollback', key, { reason: 'crashes' });

    expect(await page('/rollouts/1')).toContain('npx -y pnpm@10 feed:clients list --given delve@1.22.0');
  });

  it('show how many machines each step has let in', async () => {
    await server.see('it-2', 'it-3');
    await server.rollouts.admit('it-1');
    await server.rollouts.admit('it-2');
    await server.rollouts.receive('it-2', 1);
    await server.call('POST', '/rollouts/1/advance', key);
    // Those of the ring count where they came in; the others by their position in delve/1.22.0.
    const inHalf = Array.from({ length: 10 }, (_, at) => `pc-${at}`).filter(
      (id) => positionOf('delve/1.22.0', id) < 5000,
    );
    for (const id of ['it-3', ...inHalf]) await server.rollouts.admit(id);

    const html = await page('/rollouts/1');

    const counts = [...html.matchAll(/<td class="number">(\d+)<\/td><td class="number">(\d+)<\/td><\/tr>/g)];
    expect(counts.map(([, admitted, received]) => [admitted, received])).toEqual([
      ['3', '1'],
      [String(inHalf.length), '0'],
    ]);
    expect(inHalf).not.toEqual([]);
  });

  it('explain what a machine gets to a key that may read it', async () => {
    await server.rollouts.admit('it-1');
    const reader = await server.key(['read'], { ids: ['delve'] });

    const answer = await send('client', { key: reader, client: 'IT-1' });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const html = await answer.text();
    expect(html).toMatch(/<li>it-1: seen from [-0-9]+ to [-0-9]+, in canary<\/li>/);
    expect(html).toMatch(/<li>rollout 1 of delve 1\.22\.0, rolling: position \d+ of 10000, admitted 2026/);
    expect(html).not.toContain(reader);
  });

  it.each<[string, Record<string, string>, number]>([
    ['no key', { client: 'it-1' }, 400],
    ['an unknown key', { client: 'it-1', key: 'unknown-key-of-nobody' }, 403],
    ['a key of another scope', { client: 'it-1', key: 'PUSH' }, 403],
    ['a key for another tool', { client: 'it-1', key: 'BUF' }, 403],
    ['a key for other machines', { client: 'it-1', key: 'PC' }, 403],
    ['what is no id', { client: '../it-1', key: 'READ' }, 400],
  ])('explain nothing with %s', async (_, fields, status) => {
    const keys: Readonly<Record<string, string>> = {
      PUSH: await server.key(['push', 'rollout']),
      BUF: await server.key(['read'], { ids: ['buf'] }),
      PC: await server.key(['read'], { clients: ['pc-*'] }),
      READ: await server.key(['read']),
    };
    const { key: name = '', ...rest } = fields;
    const answer = await send('client', name === '' ? rest : { ...rest, key: keys[name] ?? name });

    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain('in canary');
  });

  it('explain nothing for a page of another site, nor to a link', async () => {
    const reader = await server.key(['read']);
    const fields = { key: reader, client: 'it-1' };

    expect((await send('client', fields, { Origin: 'https://evil.example' })).status).toBe(403);
    expect((await fetch(`${server.url}/rollouts/1/client?${new URLSearchParams(fields)}`)).status).toBe(405);
  });

  it('say what is missing before it begins', async () => {
    await start('buf', '1.33.0');

    const html = await page('/rollouts/2');

    expect(html).toContain('approvals by other owners');
    expect(html).not.toContain('<form class="change"');
  });

  it('halt by a form with a key, then offer to resume', async () => {
    const halted = await send('halt', { key, reason: 'errors' });

    expect([halted.status, halted.headers.get('location')]).toEqual([303, '../1']);
    expect(await stateNow()).toBe('halted');
    const html = await page('/rollouts/1');
    expect(html).toContain('errors');
    expect(html).toContain('action="/rollouts/1/resume"');
    expect((await send('resume', { key, reason: 'mended' })).status).toBe(303);
    expect(await stateNow()).toBe('rolling');
  });

  it('resume from no halt but the one that the page shows', async () => {
    await send('halt', { key, reason: 'errors' });
    const since = /name="since" value="([^"]+)"/.exec(await page('/rollouts/1'))?.[1] ?? '';
    server.time = new Date(server.time.getTime() + 1000);
    for (const action of ['resume', 'halt']) await server.call('POST', `/rollouts/1/${action}`, key);

    const answer = await send('resume', { key, reason: 'mended', since });

    expect(answer.status).toBe(409);
    expect(await answer.text()).toContain('has moved on since it was looked at');
    expect(await stateNow()).toBe('halted');
  });

  it('refuse a second halt, and name the state', async () => {
    await send('halt', { key, reason: 'errors' });

    const again = await send('halt', { key, reason: 'errors' });

    expect(again.status).toBe(409);
    expect(await again.text()).toContain('is halted, step 1 of 2');
  });

  it.each([
    ['no key', { reason: 'x' }, 400],
    ['no reason', { key: 'KEY' }, 400],
    ['a blank reason', { key: 'KEY', reason: ' \n ' }, 400],
    ['an unknown key', { key: 'unknown-key-of-nobody', reason: 'x' }, 403],
  ])('change nothing with %s', async (_, fields, status) => {
    const answer = await send('halt', {
      ...fields,
      ...('key' in fields && fields.key === 'KEY' ? { key } : {}),
    } as Record<string, string>);

    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain(key);
    expect(await stateNow()).toBe('rolling');
  });

  it('change nothing with a key of another scope, or one that a browser adds', async () => {
    const reader = await server.key(['read', 'push']);
    const basic = `Basic ${Buffer.from(`x:${key}`).toString('base64')}`;

    const answers = [
      await send('halt', { key: reader, reason: 'x' }),
      await send('halt', { key: reader, reason: 'x' }, { ...own(), Authorization: basic }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    expect(await stateNow()).toBe('rolling');
  });

  it.each<[string, Record<string, string>]>([
    ['a page of another site', { Origin: 'https://evil.example' }],
    ['another site, by the browser', { 'Sec-Fetch-Site': 'cross-site' }],
    ['no page at all', {}],
    ['a page without an origin', { Origin: 'null' }],
  ])('change nothing for %s', async (_, headers) => {
    expect((await send('halt', { key, reason: 'x' }, headers)).status).toBe(403);
    expect(await stateNow()).toBe('rolling');
  });

  it.each(['halt', 'resume', 'client'])('do not show by %s which rollouts there are', async (action) => {
    const fields = { key: 'unknown-key-of-nobody', reason: 'x', client: 'pc-1' };

    for (const id of [1, 2]) expect((await send(action, fields, own(), id)).status).toBe(403);
    const able = await server.key(['read', 'rollout']);
    expect((await send(action, { ...fields, key: able }, own(), 2)).status).toBe(404);
  });

  it('have no form for anything else', async () => {
    for (const action of ['rollback', 'complete', 'approve']) {
      expect((await send(action, { key, reason: 'x' })).status).toBe(404);
    }
    expect((await fetch(`${server.url}/rollouts/1/halt`)).status).toBe(405);
    expect((await fetch(`${server.url}/rollouts/2`)).status).toBe(404);
    expect(await stateNow()).toBe('rolling');
  });
});
