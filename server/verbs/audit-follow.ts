import { setTimeout as delay } from 'node:timers/promises';
import type { Invocation } from '../../invocation.ts';
import { type Place, type Read, readOn } from '../audit/follow.ts';
import { type AuditReading, openAuditReading } from '../audit-reading.ts';
import { loadConfig } from '../config.ts';
import { FeedError, fail } from '../errors.ts';
import { readFollowState, writeFollowState } from './follow-state.ts';

export type FollowFlags = {
  readonly after?: number;
  readonly afterRefusal?: number;
  readonly since?: Date;
  readonly once?: true;
  readonly state?: string;
};

const pauseMs = 1000;

/**
 * Writes audit entries and refusals as JSON lines until it is interrupted, or with `once` all that there are. It reads the database
 * itself, so servers may start and stop meanwhile.
 * @throws FeedError INTERRUPTED, FOLLOW_LOST, FOLLOW_STATE, NO_FEED, DATABASE_...
 */
export async function follow(invocation: Invocation, flags: FollowFlags): Promise<void> {
  const { stdout, stderr, signal } = invocation;
  const { after = 0, afterRefusal = 0, since, once, state } = flags;
  let place: Place = (await readFollowState(state)) ?? { audit: { number: after }, refusals: afterRefusal };
  const reading = await openAuditReading(loadConfig(invocation.env));
  try {
    let isAway = false;
    for (let isFirst = true; ; isFirst = false) {
      const read = await attempt(reading, place, since, !isFirst && once === undefined);
      if (read instanceof FeedError && !isAway) stderr.write(`${read.message} It will be tried again.\n`);
      isAway = read instanceof FeedError;
      if (!(read instanceof FeedError) && !(await send(stdout, read.lines))) return;
      if (!(read instanceof FeedError) && isFurther(read.place, place)) {
        place = read.place;
        // Only when it is out: a crash in between repeats lines, and loses none.
        await writeFollowState(state, place);
        if (!signal.aborted) continue;
      } else if (once) return;
      if (!signal.aborted) await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) fail('INTERRUPTED', { state: 'the last line is whole.' });
    }
  } finally {
    await reading.close();
  }
}

function isFurther(read: Place, place: Place): boolean {
  return read.audit.number > place.audit.number || read.refusals > place.refusals;
}

/** A database that is away comes back; at the beginning, or for a run that ends, that is an error. */
async function attempt(
  reading: AuditReading,
  place: Place,
  since: Date | undefined,
  isPatient: boolean,
): Promise<Read | FeedError> {
  try {
    const read = await reading.read((reads) => readOn(reads, place, since));
    return 'problem' in read ? fail('FOLLOW_LOST', { number: read.number, is: lost[read.problem] }) : read;
  } catch (error) {
    const isAway =
      error instanceof FeedError && /^(DATABASE_|COPY_|NO_FEED$|CATALOG_DAMAGED$)/.test(error.code);
    if (isPatient && isAway) return error;
    throw error;
  }
}

const lost = {
  other: 'is another one now than was read before',
  shorter: 'was read before and is not there any more',
} as const;

/** Resolves when the operating system has it; false: whoever read it is gone, as after `| head`. */
function send(stdout: Invocation['stdout'], lines: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (lines.length === 0) return resolve(true);
    stdout.write(lines.join(''), (error) => {
      const isGone = error != null && 'code' in error && error.code === 'EPIPE';
      if (error != null && !isGone) reject(error);
      else resolve(!isGone);
    });
  });
}
