import * as z from 'zod';
import { readDuration } from '../../formats/duration.ts';

const Time = z.iso.datetime({ offset: true });

/** Later years have more than four digits, which other readers of ISO 8601 refuse. */
const latest = Date.UTC(9999, 0);

/** Whether the text is a time: RFC 3339, or how long from now (`90d`). */
export function isExpiry(text: string): boolean {
  return readExpiry(text, new Date(0)) !== undefined;
}

/** The time that the text means; undefined when it is invalid. */
export function readExpiry(text: string, now: Date): Date | undefined {
  const duration = readDuration(text);
  const time = duration === undefined ? timeOf(text) : now.getTime() + duration;
  return time === undefined || time > latest ? undefined : new Date(time);
}

function timeOf(text: string): number | undefined {
  return Time.safeParse(text).success ? Date.parse(text) : undefined;
}
