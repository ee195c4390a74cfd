import type { Audit, AuditEntry } from './audit.ts';
import type { RefusalCount, Refusals } from './refusals.ts';
import { lineOfEntry, lineOfRefusal } from './shipped-line.ts';

/** How far somebody has read. */
export type Place = {
  /** `hash`: of that entry, where it was read; a log that has another one there is not the same. */
  readonly audit: { readonly number: number; readonly hash?: string | undefined };
  readonly refusals: number;
};

/** `other`: the entry where the reader stands is another one by now; `shorter`: there is none any more. */
export type Lost = { readonly number: number; readonly problem: 'other' | 'shorter' };

export type Read = { readonly lines: readonly string[]; readonly place: Place };

type Reads = { readonly audit: Pick<Audit, 'list'>; readonly refusals: Pick<Refusals, 'list'> };

const pageSize = 500;

/**
 * What comes after a place: first entries of the audit log, then refusals, each by their numbers. No lines: nothing has come.
 * @param since leaves out what is older
 */
export async function readOn({ audit, refusals }: Reads, place: Place, since?: Date): Promise<Read | Lost> {
  const lost = await findLost(audit, place.audit);
  if (lost !== undefined) return lost;
  const entries = await audit.list({ after: place.audit.number, since, limit: pageSize });
  const refused = await refusals.list({ after: place.refusals, limit: pageSize });
  const lines = [
    ...entries.map(lineOfEntry),
    ...refused.filter(({ last }) => since === undefined || last >= since).map(lineOfRefusal),
  ];
  return { lines, place: after(place, entries, refused) };
}

function after(place: Place, entries: readonly AuditEntry[], refused: readonly RefusalCount[]): Place {
  const last = entries.at(-1);
  return {
    audit: last === undefined ? place.audit : { number: last.number, hash: last.hash },
    refusals: refused.at(-1)?.number ?? place.refusals,
  };
}

async function findLost(audit: Reads['audit'], { number, hash }: Place['audit']): Promise<Lost | undefined> {
  if (hash === undefined) return undefined;
  const [entry] = await audit.list({ after: number - 1, limit: 1 });
  if (entry === undefined) return { number, problem: 'shorter' };
  return entry.hash === hash ? undefined : { number, problem: 'other' };
}
