import { randomUUID } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask, headerOf } from './ask.ts';
import { type Check, type Finding, failed, ok, type Place, warn } from './check.ts';

/** How far a clock is ahead of this machine's; `exactMs`: as far as can be told. */
export type Clock = { readonly of: string; readonly aheadMs: number; readonly exactMs: number };

/** Rollouts forgive a minute, S3 refuses a quarter of an hour; what has NTP is right within a fraction of a second. */
const warnMs = 5_000;
const failMs = 60_000;

export const clock: Check = {
  name: 'clock',
  async look(place) {
    const looks = [ofPublicUrl, ofDataDir, ofDatabase, ofObjectStore].map((look) =>
      look(place).catch(() => undefined),
    );
    const clocks = (await Promise.all(looks)).filter((one) => one !== undefined);
    return judgeClocks(clocks);
  },
};

export function judgeClocks(clocks: readonly Clock[]): Finding {
  const [worst] = clocks.toSorted((one, other) => off(other) - off(one));
  if (worst === undefined)
    return warn('there was no other clock to compare with', 'repair what the other checks name first');
  if (off(worst) < warnMs) return ok(`the same here as at ${clocks.map(({ of }) => of).join(', ')}`);
  const way = worst.aheadMs > 0 ? 'ahead of' : 'behind';
  const says = `${worst.of} is ${Math.round(off(worst) / 1000)} s ${way} this machine`;
  const todo = 'set both clocks by NTP: keys, rollouts and signed requests depend on it';
  return off(worst) < failMs ? warn(says, todo) : failed(says, todo);
}

function off({ aheadMs, exactMs }: Clock): number {
  return Math.max(0, Math.abs(aheadMs) - exactMs);
}

/** A `Date` header has whole seconds, cut off. */
const headerMs = 1_000;

async function ofPublicUrl(place: Place): Promise<Clock | undefined> {
  const answer = await ask(place, `${place.publicUrl}/healthz`);
  const date = Date.parse(headerOf(answer, 'date') ?? '');
  return Number.isNaN(date)
    ? undefined
    : { of: 'PUBLIC_URL', aheadMs: date + headerMs / 2 - answer.at, exactMs: headerMs / 2 + answer.ms / 2 };
}

/** A network drive has a clock of its own. */
async function ofDataDir({ config, now }: Place): Promise<Clock> {
  const file = join(config.dataDir, `.write-${randomUUID()}`);
  try {
    const before = now().getTime();
    await writeFile(file, '', { flag: 'wx', mode: 0o600 });
    const after = now().getTime();
    const { mtimeMs } = await stat(file);
    return {
      of: 'the data folder',
      aheadMs: mtimeMs - (before + after) / 2,
      exactMs: 10 + (after - before) / 2,
    };
  } finally {
    await rm(file, { force: true });
  }
}

async function ofDatabase({ config, now }: Place): Promise<Clock | undefined> {
  if (config.databaseUrl === undefined) return undefined;
  const { openPostgresProbe } = await import('../../replica/probe.ts');
  const probe = await openPostgresProbe(config.databaseUrl);
  try {
    const { at, ms } = await probe.time();
    return { of: 'PostgreSQL', aheadMs: at + ms / 2 - now().getTime(), exactMs: ms / 2 };
  } finally {
    probe.close();
  }
}

async function ofObjectStore({ config, now, signal }: Place): Promise<Clock | undefined> {
  if (config.blobStore === undefined) return undefined;
  const { readStoreClock } = await import('../../blobs/s3-probe.ts');
  const before = now().getTime();
  const date = await readStoreClock(config.blobStore, signal);
  const after = now().getTime();
  return date === undefined
    ? undefined
    : {
        of: 'the object store',
        aheadMs: date.getTime() + headerMs / 2 - (before + after) / 2,
        exactMs: headerMs / 2 + (after - before) / 2,
      };
}
