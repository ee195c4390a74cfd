import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RolloutServer, startRolloutServer } from './rollout-server.ts';

const alert = {
  status: 'firing',
  labels: { alertname: 'ErrorRatio', tool: 'delve' },
  annotations: { summary: 'more than 0.5 % errors' },
  startsAt: '2026-11-30T09:01:00.5Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus.example:9090/graph',
  fingerprint: 'c2b1f8c9b8a7d6e5',
};
/** As Alertmanager sends it. */
const webhookOf = (...alerts: object[]): object => ({
  version: '4',
  groupKey: '{}:{}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'go-win-tools',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example:9093',
  alerts,
});

describe('/api/v1/alerts', () => {
  let server: RolloutServer;
  let key: string;
  let releaser: string;
  beforeEach(async () => {
    server = await startRolloutServer();
    server.held.add('delve 1.22.0').add('delve 1.23.0');
    key = await server.key(['alert']);
    releaser = await server.key(['push', 'rollout', 'read']);
  });
  afterEach(() => server.stop());

  const send = (body: unknown, by: string | undefined = key) => server.call('POST', '/alerts', by, body);
  const start = (onAlert: string, version = '1.22.0') => {
    const plan = { steps: [{ percent: 10, hold: '1h' }], onAlert };
    return server.call('POST', '/rollouts', releaser, { tool: 'delve', version, plan });
  };
  const state = async (): Promise<unknown> => (await server.call('GET', '/rollouts/1', releaser))[1].state;

  it.each([
    ['halt', 'halted'],
    ['rollback', 'rolled-back'],
  ])('does what the plan says of alerts: %s', async (onAlert, after) => {
    await start(onAlert);

    const changed = [{ id: 1, tool: 'delve', version: '1.22.0', state: after }];
    expect(await send(webhookOf(alert))).toEqual([200, { rollouts: changed }]);
    expect(await send(webhookOf(alert))).toEqual([200, { rollouts: [] }]);
    expect(await send(webhookOf({ ...alert, status: 'resolved' }))).toEqual([200, { rollouts: [] }]);
    expect(await state()).toBe(after);
  });

  it('answers 200 where there is nothing to do', async () => {
    expect(await send(webhookOf())).toEqual([200, { rollouts: [] }]);
    expect(await send(webhookOf(alert))).toEqual([200, { rollouts: [] }]);
  });

  it('blocks a start while an alert is firing', async () => {
    await send(webhookOf(alert));

    expect(await start('halt')).toMatchObject([
      409,
      {
        code: 'ROLLOUT_ALERTING',
        title: expect.stringContaining('The alert ErrorRatio is firing and concerns delve.'),
      },
    ]);
    await send(webhookOf({ ...alert, status: 'resolved' }));
    expect((await start('halt'))[0]).toBe(201);
  });

  it.each([
    ['no JSON', '{'],
    ['another version', { ...webhookOf(alert), version: '3' }],
    ['an alert without a start', webhookOf({ ...alert, startsAt: undefined })],
    ['an alert without labels', webhookOf({ ...alert, labels: undefined })],
    ['a list', [alert]],
    ['2001 alerts', webhookOf(...Array(2001).fill(alert))],
  ])('answers 400 to %s, and does nothing', async (_what, body) => {
    await start('halt');

    expect((await send(body))[0]).toBe(400);
    expect(await state()).toBe('rolling');
  });

  it('needs a key with the scope alert', async () => {
    await start('halt');

    expect((await server.call('POST', '/alerts', undefined, webhookOf(alert)))[0]).toBe(401);
    expect((await send(webhookOf(alert), releaser))[0]).toBe(403);
    expect((await send(webhookOf(alert), 'gwt_unknown'))[0]).toBe(403);
    expect((await server.call('GET', '/alerts', key))[0]).toBe(405);
    expect(await send(webhookOf(alert), await server.key(['alert'], { ids: ['buf'] }))).toEqual([
      200,
      { rollouts: [] },
    ]);
    expect(await state()).toBe('rolling');
  });

  it.each([
    ['a long value', { path: '/'.repeat(100_000) }],
    ['a long name', { ['n'.repeat(5000)]: 'x' }],
    ['many labels', Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`l${at}`, 'x']))],
  ])(
    'does not let an alert be stopped by %s in another one, which whoever is measured may have written',
    async (_what, odd) => {
      await start('halt');
      const beside = { ...alert, labels: { alertname: 'Slow', ...odd }, fingerprint: 'f2' };

      expect((await send(webhookOf(beside, alert)))[0]).toBe(200);
      expect(await state()).toBe('halted');
    },
  );

  it('answers 403 to a key that is revoked in between, so that Alertmanager does not go on', async () => {
    await start('halt');
    const { takeAlerts } = server.rollouts;
    server.rollouts.takeAlerts = async (...given) => {
      await server.revoke('alert');
      return takeAlerts(...given);
    };

    expect(await send(webhookOf(alert))).toMatchObject([403, { code: 'KEY_REVOKED' }]);
    expect(await state()).toBe('rolling');
  });

  it('answers 503 when it cannot keep them, so that Alertmanager sends them again', async () => {
    await start('halt');
    server.breakDatabase();

    expect(await send(webhookOf(alert))).toMatchObject([503, { code: 'ALERTS_NOT_STORED' }]);
  });
});
