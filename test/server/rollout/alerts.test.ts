import { describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import {
  type Alert,
  AlertmanagerWebhook,
  actsOn,
  concerns,
  isFiring,
} from '../../../server/rollout/alerts.ts';

const began = Date.parse('2026-11-30T09:00:00Z');

/** As Alertmanager 0.25 sends it. */
const webhook = {
  version: '4',
  groupKey: '{}:{alertname="ErrorRatio"}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'go-win-tools',
  groupLabels: { alertname: 'ErrorRatio' },
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example:9093',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'ErrorRatio', tool: 'delve', severity: 'page' },
      annotations: { summary: 'more than 0.5 % errors' },
      startsAt: '2026-11-30T10:00:00.123456789+01:00',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example:9090/graph',
      fingerprint: 'c2b1f8c9b8a7d6e5',
    },
  ],
};

function alert(changes: Partial<Alert> = {}): Alert {
  const labels = { alertname: 'ErrorRatio', tool: 'delve' };
  return { status: 'firing', labels, startsAt: began, fingerprint: 'c2b1f8c9b8a7d6e5', ...changes };
}

const rollout = (plan: object = {}, state: 'rolling' | 'completed' = 'rolling') => ({
  tool: 'delve',
  state,
  begunAt: began,
  plan: RolloutPlan.parse({ steps: [{ percent: 10, hold: '1h' }], ...plan }),
});

describe("Alertmanager's webhook", () => {
  it('is read as it is sent, nanoseconds and zone included', () => {
    const [read] = AlertmanagerWebhook.parse(webhook).alerts;
    expect(read).toMatchObject({ status: 'firing', startsAt: began + 123, fingerprint: 'c2b1f8c9b8a7d6e5' });
  });

  it.each([
    { ...webhook, version: '3' },
    { ...webhook, alerts: [{ ...webhook.alerts[0], startsAt: 'yesterday' }] },
    { ...webhook, alerts: [{ ...webhook.alerts[0], status: 'maybe' }] },
    { ...webhook, alerts: [{ ...webhook.alerts[0], fingerprint: 'c2b1\u0000' }] },
    { ...webhook, alerts: Array.from({ length: 2001 }, () => webhook.alerts[0]) },
    {},
    'firing',
  ])('is refused in another form', (body) => {
    expect(AlertmanagerWebhook.safeParse(body).success).toBe(false);
  });
});

describe('an alert', () => {
  it('concerns a rollout by the labels of its plan, else by the tool', () => {
    expect(concerns(alert(), rollout())).toBe(true);
    expect(concerns(alert({ labels: { tool: 'buf' } }), rollout())).toBe(false);
    const matched = rollout({ match: { service: 'checkout', severity: 'page' } });
    expect(concerns(alert(), matched)).toBe(false);
    expect(concerns(alert({ labels: { service: 'checkout' } }), matched)).toBe(false);
    expect(concerns(alert({ labels: { service: 'checkout', severity: 'page', more: 'x' } }), matched)).toBe(
      true,
    );
  });

  it('acts on an open rollout that began before it, allowing a minute for clocks', () => {
    expect(actsOn(alert(), rollout())).toBe(true);
    expect(actsOn(alert({ startsAt: began - 60_000 }), rollout())).toBe(true);
    expect(actsOn(alert({ startsAt: began - 60_001 }), rollout())).toBe(false);
    expect(actsOn(alert({ status: 'resolved' }), rollout())).toBe(false);
    expect(actsOn(alert(), rollout({}, 'completed'))).toBe(false);
  });

  it('does nothing when it is the one that always fires', () => {
    expect(actsOn(alert({ labels: { alertname: 'Watchdog', tool: 'delve' } }), rollout())).toBe(false);
  });

  it('is none of those that feed:doctor sends on their way', () => {
    const labels = { alertname: 'DoctorTest', tool: 'delve', doctor: '1' };
    const matching = { tool: 'delve', plan: { ...rollout().plan, match: { doctor: '1' } } };

    expect(actsOn(alert({ labels }), rollout())).toBe(false);
    expect(concerns({ labels }, matching)).toBe(false);
    expect(concerns({ labels: { ...labels, alertname: 'ErrorRatio' } }, matching)).toBe(true);
  });

  it('counts for a day unless it is resolved', () => {
    const day = 24 * 3_600_000;
    expect(isFiring(alert(), began + day - 1)).toBe(true);
    expect(isFiring(alert(), began + day)).toBe(false);
    expect(isFiring(alert({ status: 'resolved' }), began)).toBe(false);
  });
});
