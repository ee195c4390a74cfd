import { dayMs } from '../../formats/duration.ts';
import type { Prepare } from '../database/statements.ts';
import { matchesGlob } from '../keys/glob.ts';
import { createPause } from '../pause.ts';
import { admits, isEligible } from './admission.ts';
import { isOpen } from './rollout.ts';
import type { RolloutDetails, StoredRollout } from './rollouts.ts';
import { shareCounts } from './shared-counts.ts';

export type RingGlobs = { readonly name: string; readonly globs: readonly string[] };

export function readRings(prepare: Prepare): RingGlobs[] {
  const rows = prepare('SELECT name, globs FROM rings').all() as { name: string; globs: string }[];
  return rows.map(({ name, globs }) => ({ name, globs: JSON.parse(globs) as string[] }));
}

export function asClient(id: string, rings: readonly RingGlobs[]) {
  const its = rings.filter(({ globs }) => globs.some((glob) => matchesGlob(glob, id)));
  return { id, rings: its.map(({ name }) => name) };
}

/** The open rollouts that a client is in. */
export function admittedTo(prepare: Prepare, client: string): number[] {
  const sql = `SELECT rollout FROM admissions a JOIN rollouts r ON r.id = a.rollout
    WHERE a.client = ? AND r.state IN ('pending', 'rolling', 'halted') ORDER BY rollout`;
  return (prepare(sql).all(client) as { rollout: number }[]).map(({ rollout }) => rollout);
}

/** Those of the rollouts that would admit the client and have not. */
export function newAdmissions(
  client: string,
  isIn: ReadonlySet<number>,
  rollouts: readonly StoredRollout[],
  rings: () => readonly RingGlobs[],
): StoredRollout[] {
  const others = rollouts.filter(({ id, state }) => state === 'rolling' && !isIn.has(id));
  if (others.length === 0) return [];
  const asking = asClient(client, rings());
  return others.filter((rollout) => admits(rollout, asking));
}

/** Whoever is admitted is known from then on. */
export function writeAdmissions(
  prepare: Prepare,
  client: string,
  rollouts: readonly StoredRollout[],
  at: Date,
): void {
  const today = Math.floor(at.getTime() / dayMs);
  prepare('INSERT INTO clients (id, first_day, last_day) VALUES (?, ?, ?) ON CONFLICT DO NOTHING').run(
    client,
    today,
    today,
  );
  for (const { id } of rollouts) {
    prepare('INSERT INTO admissions (client, rollout, at) VALUES (?, ?, ?)').run(client, id, at.getTime());
  }
}

const pageSize = 500;

type Counts = RolloutDetails['counts'];

/** Counts the clients of a rollout. */
export function createClientCounts(prepare: Prepare): (rollout: StoredRollout) => Promise<Counts> {
  const shared = shareCounts<Counts>(
    (rollout) => countClients(prepare, rollout),
    ({ known }) => known,
  );
  return (rollout) => shared.of(rollout);
}

async function countClients(prepare: Prepare, rollout: StoredRollout): Promise<Counts> {
  const reached = isOpen(rollout) ? await countReached(prepare, rollout) : undefined;
  const sql = 'SELECT count(*) AS admitted, count(received) AS received FROM admissions WHERE rollout = ?';
  const { admitted, received } = prepare(sql).get(rollout.id) as Pick<Counts, 'admitted' | 'received'>;
  if (reached !== undefined) return { ...reached, admitted, received };
  const known = prepare('SELECT count(*) FROM clients').pluck().get() as number;
  return { known, eligible: rollout.state === 'completed' ? known : admitted, admitted, received };
}

/** Looks at every client, a few at a time. */
async function countReached(
  prepare: Prepare,
  rollout: StoredRollout,
): Promise<Pick<Counts, 'known' | 'eligible'>> {
  const pause = createPause();
  const rings = readRings(prepare);
  let [known, eligible, after] = [0, 0, ''];
  for (;;) {
    const page = prepare('SELECT id FROM clients WHERE id > ? ORDER BY id LIMIT ?').all(after, pageSize);
    for (const { id } of page as { id: string }[]) {
      if (isEligible(rollout, asClient(id, rings))) eligible += 1;
      after = id;
    }
    known += page.length;
    if (page.length < pageSize) break;
    if (pause.isDue()) await pause.take();
  }
  return { known, eligible };
}
