import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { RolloutJson } from '../../../server/rollout/rollout-json.ts';
import { type RolloutServer, startRolloutServer } from './rollout-server.ts';

const plan = {
  steps: [
    { ring: 'canary', hold: '4h' },
    { percent: 50, hold: '6h' },
  ],
  match: { service: 'checkout' },
};
const firing = {
  status: 'firing' as const,
  labels: { alertname: 'ErrorRatio', service: 'checkout' },
  startsAt: Date.parse('2026-11-30T08:00:00Z'),
  fingerprint: 'f1',
};
const order = { tool: 'delve', version: '1.22.0', plan };

describe('/api/v1/rollouts', () => {
  let server: RolloutServer;
  let releaser: string;
  let reader: string;
  beforeEach(async () => {
    server = await startRolloutServer([
      { glob: 'delve*', owners: 1 },
      { glob: 'buf', owners: 2 },
    ]);
    server.held.add('delve 1.22.0').add('delve 1.23.0').add('gopls 0.16.0').add('buf 1.33.0');
    await server.see('pc-1', 'pc-2', 'it-1');
    await server.setRing('canary', 'it-*');
    releaser = await server.key(['push', 'rollout'], { owner: 'ann' });
    reader = await server.key(['read']);
  });
  afterEach(() => server.stop());

  const post = (path: string, key?: string, body?: unknown) => server.call('POST', path, key, body);
  const get = (path = '') => server.call('GET', `/rollouts${path}`, reader);
  /** Without approvals. */
  const gopls = { ...order, tool: 'gopls', version: '0.16.0' };

  it('gives up a start where main offers another version each time', async () => {
    const tries = vi.spyOn(server.rollouts, 'start').mockResolvedValue({ is: 'changed' });

    const answer = await post('/rollouts', releaser, gopls);

    expect(answer).toMatchObject([409, { code: 'ROLLOUT_NOT_HELD' }]);
    expect(tries).toHaveBeenCalledTimes(5);
  });

  it('starts one, which waits for another owner, and shows all of it', async () => {
    const [status, made] = await post('/rollouts', releaser, { ...order, reason: 'new' });

    expect(status).toBe(201);
    expect(RolloutJson.strict().parse(made)).toEqual({
      id: 1,
      ...{ tool: 'delve', packageId: 'delve-package', version: '1.22.0' },
      ...{ state: 'pending', step: 0, reached: { rings: [], percent: 0 }, waitsFor: 'approvals' },
      since: '2026-11-30T09:00:00.000Z',
      plan,
      counts: { known: 3, eligible: 0, admitted: 0, received: 0 },
      approvals: [],
      alerts: [],
      history: [{ at: '2026-11-30T09:00:00.000Z', by: 'ann', action: 'start', reason: 'new' }],
    });
    expect(await get('/1')).toEqual([200, made]);
    expect(await get('?tool=delve')).toEqual([200, [made]]);
    expect(await get('?tool=buf')).toEqual([200, []]);
    expect(await post('/rollouts', releaser, order)).toEqual([200, made]);
  });

  it('goes through its states by the actions of those who may', async () => {
    const bob = await server.key(['approve'], { owner: 'bob' });
    await post('/rollouts', releaser, order);

    expect(await post('/rollouts/1/approve', bob)).toMatchObject([
      200,
      {
        ...{ state: 'rolling', step: 1, waitsFor: 'hold', next: '2026-11-30T13:00:00.000Z' },
        approvals: [{ owner: 'bob', at: '2026-11-30T09:00:00.000Z' }],
        reached: { rings: ['canary'], percent: 0 },
        counts: { known: 3, eligible: 1 },
      },
    ]);
    expect(await post('/rollouts/1/halt', releaser, { reason: ' odd\nlogs ' })).toMatchObject([
      200,
      { state: 'halted', waitsFor: 'resume', history: [{}, {}, { action: 'halt', reason: 'odd logs' }] },
    ]);
    expect(await post('/rollouts/1/resume', releaser, {})).toMatchObject([200, { state: 'rolling' }]);
    expect(await post('/rollouts/1/advance', releaser)).toMatchObject([
      200,
      { step: 2, reached: { rings: ['canary'], percent: 50 } },
    ]);
    expect(await post('/rollouts/1/complete', releaser)).toMatchObject([200, { state: 'completed' }]);
    expect((await get('/1'))[1]).not.toHaveProperty('waitsFor');
  });

  it('answers 409 with the current state when an action does not fit', async () => {
    await post('/rollouts', releaser, gopls);
    await post('/rollouts/1/halt', releaser);

    expect(await post('/rollouts/1/halt', releaser)).toEqual([
      409,
      {
        title:
          'The rollout of gopls 0.16.0 is halted, step 1 of 2, so halt is not possible now. Check release:rollout status gopls.',
        ...{ status: 409, code: 'ROLLOUT_STATE', state: 'halted', requestId: expect.anything() },
      },
    ]);
    await post('/rollouts/1/rollback', releaser);
    for (const action of ['advance', 'halt', 'resume', 'complete', 'rollback']) {
      expect(await post(`/rollouts/1/${action}`, releaser)).toMatchObject([409, { state: 'rolled-back' }]);
    }
    expect(await post('/rollouts', releaser, gopls)).toMatchObject([409, { code: 'ROLLOUT_ENDED' }]);
  });

  it('lets one of two who ask for the same at once win', async () => {
    await post('/rollouts', releaser, gopls);

    const answers = await Promise.all([1, 2, 3, 4].map(() => post('/rollouts/1/resume', releaser)));
    expect(answers.map(([status]) => status)).toEqual([409, 409, 409, 409]);
    const halts = await Promise.all([1, 2, 3, 4].map(() => post('/rollouts/1/halt', releaser)));
    expect(halts.map(([status]) => status).toSorted()).toEqual([200, 409, 409, 409]);
  });

  it('says what a start would be refused for, before anything is uploaded', async () => {
    await server.setRing('empty', 'nobody-*');
    const foresee = (changes: object, key = releaser) =>
      post('/rollouts', key, { ...gopls, version: '0.17.0', dryRun: true, ...changes });
    const inRing = (ring: string) => ({ plan: { steps: [{ ring, hold: '1h' }] } });

    expect(await foresee({})).toEqual([204, {}]);
    expect(await foresee(inRing('early'))).toMatchObject([400, { code: 'ROLLOUT_RING_UNKNOWN' }]);
    expect(await foresee(inRing('empty'))).toMatchObject([400, { code: 'ROLLOUT_RING' }]);
    expect(await foresee({ plan: {} })).toMatchObject([400, { code: 'BODY_INVALID' }]);
    // by APPROVALS for the package, which has another name than the tool
    const nobody = await server.key(['push', 'rollout']);
    const other = { tool: 'dlv', packageId: 'delve-package' };
    expect(await foresee(other, nobody)).toMatchObject([403, { code: 'ROLLOUT_NO_OWNER' }]);
    expect(await foresee(other)).toEqual([204, {}]);
    await server.rollouts.takeAlerts([firing], { by: operator, ids: [] });
    expect(await foresee({})).toMatchObject([409, { code: 'ROLLOUT_ALERTING' }]);
    expect(await foresee({}, reader)).toMatchObject([403, { code: 'KEY_SCOPE' }]);
    expect(await get()).toEqual([200, []]);
    await post('/rollouts', releaser, { ...gopls, plan: { steps: plan.steps } });
    expect(await foresee({ version: '0.16.0' })).toMatchObject([200, { id: 1, version: '0.16.0' }]);
  });

  it('does nothing twice for whoever says what it was seen as', async () => {
    await post('/rollouts', releaser, gopls);
    const [, { since }] = await post('/rollouts/1/halt', releaser);
    server.time = new Date('2026-11-30T10:00:00Z');
    await post('/rollouts/1/resume', releaser, { since });
    await post('/rollouts/1/halt', releaser);

    const again = await post('/rollouts/1/resume', releaser, { since });
    expect(again).toMatchObject([409, { code: 'ROLLOUT_MOVED', state: 'halted' }]);
    expect(again[1].title).toBe(
      'The rollout of gopls 0.16.0 has moved on since it was looked at, so `resume` was not carried out: it is halted, step 1 of 2. Check release:rollout status gopls, then decide again.',
    );
    await post('/rollouts/1/resume', releaser);
    const advances = await Promise.all([1, 2].map(() => post('/rollouts/1/advance', releaser, { step: 1 })));
    expect(advances.map(([status]) => status).toSorted()).toEqual([200, 409]);
    expect(await post('/rollouts/1/advance', releaser, { step: 1 })).toMatchObject([
      409,
      { code: 'ROLLOUT_MOVED', state: 'rolling' },
    ]);
    expect(await post('/rollouts/1/advance', releaser, { step: 'x' })).toMatchObject([400, {}]);
    expect((await get('/1'))[1]).toMatchObject({ state: 'rolling', step: 2 });
  });

  it('takes approvals of other owners only', async () => {
    const keys = {
      nobody: await server.key(['approve']),
      ann: await server.key(['approve'], { owner: 'ann' }),
      bob: await server.key(['approve'], { owner: 'bob' }),
      bobToo: await server.key(['approve'], { owner: 'bob' }),
      cem: await server.key(['approve'], { owner: 'cem' }),
    };
    await post('/rollouts', releaser, { ...order, tool: 'buf', version: '1.33.0' });
    const approve = (key: keyof typeof keys) => post('/rollouts/1/approve', keys[key]);

    for (const action of ['approve', 'reject']) {
      expect(await post(`/rollouts/1/${action}`, keys.nobody)).toMatchObject([
        403,
        {
          code: 'APPROVAL_NO_OWNER',
          title: `This key has no owner, so it cannot ${action}. Use a key that was made with --owner.`,
        },
      ]);
      expect(await post(`/rollouts/1/${action}`, keys.ann)).toMatchObject([
        409,
        {
          code: 'APPROVAL_SAME_OWNER',
          title: `ann, the owner of this key, started the rollout of buf 1.33.0 or has already approved it. Let somebody else ${action} it, with a key of another owner.`,
        },
      ]);
    }
    expect(await approve('bob')).toMatchObject([200, { state: 'pending' }]);
    expect(await approve('bobToo')).toMatchObject([409, { code: 'APPROVAL_SAME_OWNER', state: 'pending' }]);
    expect(await post('/rollouts/1/advance', releaser)).toMatchObject([409, { state: 'pending' }]);
    expect(await approve('cem')).toMatchObject([200, { state: 'rolling' }]);
    expect(await post('/rollouts/1/reject', keys.bob)).toMatchObject([409, { state: 'rolling' }]);
  });

  it('needs a starter with an owner where others must approve', async () => {
    const nobody = await server.key(['push', 'rollout']);

    expect(await post('/rollouts', nobody, order)).toMatchObject([
      403,
      { code: 'ROLLOUT_NO_OWNER', title: expect.stringContaining('--owner') },
    ]);
    expect(await get()).toEqual([200, []]);
    expect((await post('/rollouts', nobody, gopls))[0]).toBe(201);
  });

  it('is shown to no key that is limited to other ids', async () => {
    const [, made] = await post('/rollouts', releaser, order);
    const seenBy = async (ids: string[]) => {
      const key = await server.key(['read'], { ids });
      const [list, one] = [
        await server.call('GET', '/rollouts', key),
        await server.call('GET', '/rollouts/1', key),
      ];
      return [list[1], one[0]];
    };

    expect(await seenBy(['buf'])).toEqual([[], 403]);
    for (const ids of [['delve'], ['DELVE-pack*'], []]) expect(await seenBy(ids)).toEqual([[made], 200]);
  });

  it('is asked for again after a rejection', async () => {
    const bob = await server.key(['approve'], { owner: 'bob' });
    await post('/rollouts', releaser, order);

    expect(await post('/rollouts/1/reject', bob, { reason: 'not now' })).toMatchObject([
      200,
      { state: 'rejected' },
    ]);
    expect(await post('/rollouts', releaser, order)).toMatchObject([201, { id: 2, state: 'pending' }]);
  });

  it('needs keys with the scopes, and ids that include the tool', async () => {
    const wrong = {
      none: undefined,
      reader,
      pusher: await server.key(['push']),
      roller: await server.key(['rollout']),
      limited: await server.key(['push', 'rollout'], { ids: ['buf'] }),
    };
    for (const [name, key] of Object.entries(wrong)) {
      const [status] = await post('/rollouts', key, order);
      expect(status, name).toBe(key === undefined ? 401 : 403);
    }
    expect(await get()).toEqual([200, []]);
    await post('/rollouts', releaser, order);
    for (const action of ['advance', 'halt', 'resume', 'complete', 'rollback', 'approve', 'reject']) {
      for (const key of [undefined, reader, wrong.pusher, wrong.limited]) {
        const [status] = await post(`/rollouts/1/${action}`, key);
        expect(status, action).toBe(key === undefined ? 401 : 403);
      }
    }
    expect((await post('/rollouts/1/approve', releaser))[0]).toBe(403);
    expect((await server.call('GET', '/rollouts'))[0]).toBe(401);
    // Ids limit which files a key may read, not the lists.
    const other = await server.key(['read'], { ids: ['buf'] });
    expect((await server.call('GET', '/rollouts', other))[0]).toBe(200);
    expect((await get('/1'))[1]).toMatchObject({ state: 'pending', approvals: [] });
  });

  it.each([
    [
      'a version that nobody uploaded',
      { ...order, version: '9.9.9' },
      409,
      /9\.9\.9 cannot be rolled out yet/,
    ],
    ['a field that it does not know', { ...order, planned: 1 }, 400, /planned/],
    ['no plan', { tool: 'delve', version: '1.22.0' }, 400, /plan/],
    ['a plan without steps', { ...order, plan: { steps: [] } }, 400, /plan\.steps has no step/],
    [
      'percentages that do not grow',
      {
        ...order,
        plan: {
          steps: [
            { percent: 10, hold: '1h' },
            { percent: 5, hold: '1h' },
          ],
        },
      },
      400,
      /plan\.steps\.1\.percent does not grow/,
    ],
    ['an empty match', { ...order, plan: { ...plan, match: {} } }, 400, /plan\.match is empty/],
    [
      'a ring that does not exist',
      { ...order, plan: { steps: [{ ring: 'early', hold: '1h' }] } },
      400,
      /the ring early, which does not exist/,
    ],
    [
      'a ring without clients',
      { ...order, plan: { steps: [{ ring: 'empty', hold: '1h' }] } },
      400,
      /The ring empty of the plan names no client that this server has seen/,
    ],
    ['an odd tool', { ...order, tool: '../delve' }, 400, /name of a tool/],
  ])('refuses %s', async (_what, body, status, title) => {
    await server.setRing('empty', 'nobody-*');
    expect(await post('/rollouts', releaser, body)).toMatchObject([
      status,
      { title: expect.stringMatching(title) },
    ]);
    expect(await get()).toEqual([200, []]);
  });

  it.each(['0', '2', '1e0', 'x', '01', '9'.repeat(30)])('does not know the rollout %s', async (id) => {
    await post('/rollouts', releaser, gopls);

    expect(await get(`/${id}`)).toMatchObject([404, { code: 'ROLLOUT_NOT_FOUND' }]);
    expect(await post(`/rollouts/${id}/halt`, releaser)).toMatchObject([404, {}]);
  });

  it('refuses other methods and bodies', async () => {
    await post('/rollouts', releaser, gopls);

    expect((await server.call('DELETE', '/rollouts', releaser))[0]).toBe(405);
    expect((await server.call('GET', '/rollouts/1/halt', releaser))[0]).toBe(405);
    expect((await post('/rollouts/1/halt', releaser, '{'))[0]).toBe(400);
    expect((await post('/rollouts/1/halt', releaser, { why: 'x' }))[0]).toBe(400);
    expect((await get('/1'))[1]).toMatchObject({ state: 'rolling' });
  });
});
