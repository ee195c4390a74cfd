import { addressGroup } from '../../formats/ip-address.ts';
import type { Refusal, RefusalCount, Refusals } from '../audit/refusals.ts';
import type { Connection } from './connection.ts';
import { createDeferredWrite } from './deferred-write.ts';

export type RefusalLimits = {
  /** The maximum number of rows, of those with a known key and of those without each. */
  readonly maxRows: number;
  /** How many get a row of their own in a minute, with a known key and without each; of others only the code is kept. */
  readonly maxApart: number;
  /** Of those without a known key, how many of one address: whoever guesses can only hide itself. */
  readonly maxOfAddress: number;
  /** How many get a row of their own while none can be written: the disk may be full for days. */
  readonly maxWaiting: number;
};
const defaults: RefusalLimits = { maxRows: 100_000, maxApart: 50, maxOfAddress: 5, maxWaiting: 1_000 };

type Waiting = { readonly refusal: Refusal; count: number; first: number; last: number };

/** Of what gets no row of its own. */
const anyRoute = '*';

/** Numbers follow the clock, in ms: after the restore of an older backup those of new rows are still higher than any before. */
const insert = `INSERT INTO refusals (number, code, route, key_id, key_name, from_group, count, first, last)
  VALUES ((SELECT max(coalesce(max(number), 0) + 1, ?) FROM refusals), ?, ?, ?, ?, ?, ?, ?, ?)`;
/** Whoever has no key cannot drive out what is known of keys. The very last row stays, since the next number follows it. */
const prune = (whose: string): string => `DELETE FROM refusals WHERE ${whose} AND number <=
  (SELECT number FROM refusals WHERE ${whose} ORDER BY number DESC LIMIT 1 OFFSET ?)`;

/** Refusals in SQLite. `flush` before closing the connection. */
export function createSqlRefusals(
  { prepare, writeStatistics }: Connection,
  now: () => Date,
  limits: Partial<RefusalLimits> = {},
): Refusals {
  const { maxRows, maxWaiting, ...apartLimits } = { ...defaults, ...limits };

  function write(all: Iterable<Waiting>): void {
    for (const { refusal, count, first, last } of all) {
      const { code, route, keyId = '', keyName = '', from = '' } = refusal;
      prepare(insert).run(now().getTime(), code, route, keyId, keyName, from, count, first, last);
    }
    for (const whose of ["key_id = ''", "key_id <> ''"]) prepare(prune(whose)).run(maxRows);
  }

  const later = createDeferredWrite<Waiting>(
    (waiting) => writeStatistics(() => write(waiting.values())),
    (older, { count, last }) => {
      older.count += count;
      older.last = Math.max(older.last, last);
      return older;
    },
  );
  const isApart = createApart(apartLimits);

  return {
    note({ from, ...refusal }) {
      const at = now().getTime();
      const exact = { ...refusal, from: from === undefined ? undefined : addressGroup(from) };
      const kept = later.size() < maxWaiting && isApart(exact, at) ? exact : { ...refusal, route: anyRoute };
      later.note(nameOf(kept), { refusal: kept, count: 1, first: at, last: at });
    },
    async list({ after, limit }) {
      const sql = 'SELECT * FROM refusals WHERE number > ? ORDER BY number LIMIT ?';
      return (prepare(sql).all(after, limit) as RawRefusal[]).map(toRefusal);
    },
    flush: later.flush,
  };
}

/** Whether a refusal gets a row of its own: a combination counts once a minute. */
function createApart({ maxApart, maxOfAddress }: Pick<RefusalLimits, 'maxApart' | 'maxOfAddress'>) {
  let minute = 0;
  let names = { known: new Set<string>(), unknown: new Set<string>() };
  let addresses = new Map<string, number>();
  return (refusal: Refusal, at: number): boolean => {
    if (minute !== Math.floor(at / 60_000)) {
      minute = Math.floor(at / 60_000);
      names = { known: new Set(), unknown: new Set() };
      addresses = new Map();
    }
    const isKnown = refusal.keyId !== undefined;
    const those = isKnown ? names.known : names.unknown;
    const [name, from] = [nameOf(refusal), refusal.from ?? ''];
    if (those.has(name)) return true;
    const ofAddress = addresses.get(from) ?? 0;
    if (those.size >= maxApart || (!isKnown && ofAddress >= maxOfAddress)) return false;
    those.add(name);
    if (!isKnown) addresses.set(from, ofAddress + 1);
    return true;
  };
}

function nameOf({ code, route, keyId, keyName, from }: Refusal): string {
  return JSON.stringify([code, route, keyId, keyName, from]);
}

type RawRefusal = {
  number: number;
  code: string;
  route: string;
  key_id: string;
  key_name: string;
  from_group: string;
  count: number;
  first: number;
  last: number;
};

function toRefusal(raw: RawRefusal): RefusalCount {
  const { number, code, route, count } = raw;
  return {
    ...{ number, code, route },
    ...(raw.key_id === '' ? {} : { keyId: raw.key_id, keyName: raw.key_name }),
    ...(raw.from_group === '' ? {} : { from: raw.from_group }),
    count,
    first: new Date(raw.first),
    last: new Date(raw.last),
  };
}
