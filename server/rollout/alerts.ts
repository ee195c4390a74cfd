import * as z from 'zod';
import { dayMs } from '../../formats/duration.ts';
import { plainLine } from '../../formats/hidden-characters.ts';
import { inOneLine } from '../audit/reason.ts';
import { isOpen, type Rollout } from './rollout.ts';

/** A rollout and an alert may come from machines whose clocks differ by so much (interface section 12). */
export const clockSkewMs = 60_000;
/** After so long, an alert that nobody resolved blocks no start any more. */
export const alertLifeMs = dayMs;
/** The alert that Prometheus always fires: while it comes, alerting works. */
const watchdog = 'Watchdog';
/** The alert that `feed:doctor` sends on its way: it is remembered as any other, and concerns nothing. */
export const doctorTest = 'DoctorTest';
const maxAlerts = 2000;

/**
 * Of any length and number, within the body's: whoever is measured may write into a label, and a webhook that is refused for it would
 * stop no rollout for the alerts beside it either.
 */
const labels = z.record(z.string(), z.string());
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
        fingerprint: z.string().min(1).max(64).regex(plainLine, 'has control characters'),
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

/** What people and logs call it. */
export function nameOf({
  labels: { alertname },
  fingerprint,
}: Pick<Alert, 'labels' | 'fingerprint'>): string {
  return inOneLine(alertname ?? '') ?? fingerprint;
}

export function isWatchdog({ labels: { alertname } }: Pick<Alert, 'labels'>): boolean {
  return alertname === watchdog;
}

type Matching = { readonly tool: string; readonly plan: Rollout['plan'] };

/** Labels that an alert must have to concern a rollout; without `match` in the plan it is the tool's name. */
function matchOf({ tool, plan }: Matching): Alert['labels'] {
  return plan.match ?? { tool };
}

/** Whether the labels that the plan names have its values. */
export function concerns(alert: Pick<Alert, 'labels'>, rollout: Matching): boolean {
  if (isWatchdog(alert) || alert.labels.alertname === doctorTest) return false;
  return Object.entries(matchOf(rollout)).every(([name, value]) => alert.labels[name] === value);
}

/** A part of the JSON of the labels of every alert that concerns a rollout: the database finds it without reading the JSON. */
export function partOfLabels(rollout: Matching): string {
  const parts = Object.entries(matchOf(rollout)).map((label) =>
    label.map((text) => JSON.stringify(text)).join(':'),
  );
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '');
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
