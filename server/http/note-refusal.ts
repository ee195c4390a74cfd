import type { Request } from 'express';
import type { Refusals } from '../audit/refusals.ts';
import type { FeedError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { areaOf } from './areas.ts';
import { keyOf } from './auth.ts';

export type NoteRefusal = (error: Pick<FeedError, 'code' | 'status'>, req: Request) => void;

/**
 * Counts refusals, and keeps those that somebody may want to look into: credentials that did not do, and what a known key tried to
 * change and may not. Requests without any credentials are not kept: choco, NuGet and git send the first one so.
 */
export function createNoteRefusal(
  refusals: Pick<Refusals, 'note'>,
  metrics: Pick<Metrics, 'countRefusal'>,
): NoteRefusal {
  return (error, req) => {
    const isKey = isAboutKey(error);
    if (isKey && !error.code.startsWith('TOKEN_')) metrics.countRefusal(error.code);
    if ((!isKey || error.code === 'KEY_MISSING') && !isRefusedPush(error, req)) return;
    const key = keyOf(req);
    const known = key === undefined ? {} : { keyId: key.keyId, keyName: key.name };
    refusals.note({ code: error.code, route: areaOf(req.path).label, ...known, from: req.ip });
  };
}

/** Whether a key, a password or a CI job's token was missing, or not enough; other errors about keys are for those who manage them. */
function isAboutKey({ code, status }: Parameters<NoteRefusal>[0]): boolean {
  return (status === 401 || status === 403) && /^(KEY|PASSWORD|TOKEN)_/.test(code);
}

/** By a rule; that a version exists already is none. */
function isRefusedPush({ status }: Parameters<NoteRefusal>[0], req: Request): boolean {
  return (
    ['PUT', 'POST', 'DELETE'].includes(req.method) && keyOf(req) !== undefined && ruleStatuses.has(status)
  );
}
const ruleStatuses: ReadonlySet<number> = new Set([400, 403, 413, 422]);
