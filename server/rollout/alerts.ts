import { z } from 'zod';
import { isOpen, type Rollout } from './rollout.ts';

/** A rollout and an alert may come from machines whose clocks differ by so much (interface section 12). */
export const clockSkewMs = 60_000;
/** After so long, an alert that nobody resolved blocks no start any more. */
export const alertLifeMs = 24 * 3_600_000;
/** The alert that Prometheus always fires: while it comes, alerting works. */
const watchdog = 'Watchdog';
/** The alert that `feed:doctor` sends on its way: it is remembered as any other, and concerns nothing. */
export const doctorTest = 'DoctorTest';
const maxAlerts = 2000;
const maxLabels = 100;

const text = z.string().max(4096);
const labels = z
  .record(z.string().max(256), text)
  .refine((given) => Object.keys(given).length <= maxLabels, `has more than ${maxLabels} labels`);
const moment = z.iso.datetime({ offset: true }).transform((written) => Date.parse(written));

/** Alertmanager's webhook, version 4; fields that nobody asks for here are let through. */
export const AlertmanagerWebhook = z.looseObject({
  version: z.literal('4'),
  alerts: z
    .array(
      z.looseObject({
        status: z.enum(['firing', 'resolved']),
        labels,
        startsAt: moment,
        fingerprint: z.string().min(1).max(64),
      }),
    )
    .max(maxAlerts, `has more than ${maxAlerts} alerts`),
});

/** One alert; times in ms since 1970. */
export type Alert = z.output<typeof AlertmanagerWebhook>['alerts'][number];

/** What is kept of an alert's labels: names and values, as UTF-8. */
const maxKeptBytes = 4096;
const maxKeptName = 500;

/** The labels that are kept of an alert: its name, and of the others as many as fit, short ones first, as plans name them. */
export function keptLabels({ labels: { alertname, ...others } }: Pick<Alert, 'labels'>): Alert['labels'] {
  const kept: [name: string, value: string][] =
    alertname === undefined ? [] : [['alertname', alertname.slice(0, maxKeptName)]];
  const sized = Object.entries(others).map((label) => ({ label, bytes: Buffer.byteLength(label.join('')) }));
  let left = maxKeptBytes - Buffer.byteLength(kept.flat().join(''));
  for (const { label, bytes } of sized.toSorted((one, other) => one.bytes - other.bytes)) {
    left -= bytes;
    if (left < 0) break;
    kept.push(label);
  }
  return Object.fromEntries(kept);
}

export function isWatchdog({ labels: { alertname } }: Pick<Alert, 'labels'>): boolean {
  return alertname === watchdog;
}

/** Whether the labels that the plan names have its values; without `match` in the plan it is the tool's name. */
export function concerns(
  alert: Pick<Alert, 'labels'>,
  { tool, plan }: { readonly tool: string; readonly plan: Rollout['plan'] },
): boolean {
  if (isWatchdog(alert) || alert.labels.alertname === doctorTest) return false;
  return Object.entries(plan.match ?? { tool }).every(([name, value]) => alert.labels[name] === value);
}

/** Whether a firing alert acts on a rollout: one that began before it is somebody else's fault. */
export function actsOn(
  alert: Pick<Alert, 'labels' | 'status' | 'startsAt'>,
  rollout: Pick<Rollout, 'plan' | 'state'> & { readonly tool: string; readonly begunAt: number },
): boolean {
  return (
    alert.status === 'firing' &&
    isOpen(rollout) &&
    alert.startsAt >= rollout.begunAt - clockSkewMs &&
    concerns(alert, rollout)
  );
}

/** Whether a remembered alert still counts as firing at `now`. */
export function isFiring({ status, startsAt }: Pick<Alert, 'status' | 'startsAt'>, now: number): boolean {
  return status === 'firing' && now - startsAt < alertLifeMs;
}
