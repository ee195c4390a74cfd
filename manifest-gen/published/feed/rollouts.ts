import type { Response } from 'got';
import * as z from 'zod';
import { fail, ReleaseError } from '../../../errors/release-error.ts';
import { jsonOf } from '../../../formats/json.ts';
import { askServer, type FeedHttp, jsonFrom, refusePage } from './http.ts';
import { codeOf, reasonOf, requireSuccess } from './refusal.ts';
import type { Endpoints } from './server-info.ts';

/** A rollout as the server shows it (contract section 8). What is not read here is passed on to whoever reads `--json`. */
export const Rollout = z.looseObject({
  id: z.int(),
  tool: z.string(),
  packageId: z.string(),
  version: z.string(),
  /** The version with the last good bytes, which a rollback gives to the machines that were admitted. */
  correction: z.string().optional(),
  state: z.string(),
  step: z.int(),
  reached: z.object({ rings: z.array(z.string()), percent: z.number() }),
  since: z.string(),
  next: z.string().optional(),
  waitsFor: z.string().optional(),
  plan: z.unknown(),
  counts: z.object({ known: z.int(), eligible: z.int(), admitted: z.int(), received: z.int() }),
  approvals: z.array(z.object({ owner: z.string(), at: z.string() })),
  history: z
    .array(z.object({ at: z.string(), by: z.string(), action: z.string(), reason: z.string().optional() }))
    .default([]),
});
export type Rollout = z.infer<typeof Rollout>;

export type RolloutActionName =
  | 'advance'
  | 'complete'
  | 'halt'
  | 'resume'
  | 'rollback'
  | 'approve'
  | 'reject';

export function isOpen({ state }: Pick<Rollout, 'state'>): boolean {
  return ['pending', 'rolling', 'halted'].includes(state);
}

/**
 * Newest first; those of one tool, or all.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED, ROLLOUT_UNSUITED where the server has none
 */
export async function listRollouts(feed: FeedHttp, tool?: string): Promise<readonly Rollout[]> {
  const response = await askServer(feed, ['rollouts'], tool === undefined ? {} : { searchParams: { tool } });
  refusePage(feed, response);
  if (response.statusCode === 404) refuseServer(feed);
  requireSuccess(response, 'the request for rollouts');
  return jsonFrom(response, z.array(Rollout)) ?? refuseServer(feed);
}

/**
 * The same for verbs that publish or look: none where the server has no rollouts, or does not show them to this key.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED
 */
export async function knownRollouts(
  { feed, endpoints }: { readonly feed: FeedHttp; readonly endpoints: Endpoints },
  tool?: string,
): Promise<readonly Rollout[]> {
  if (!endpoints.isOwnServer) return [];
  return listRollouts(feed, tool).catch((error: unknown) => {
    const isHidden =
      error instanceof ReleaseError &&
      (error.code === 'ROLLOUT_UNSUITED' || [401, 403].includes(Number(error.details.status)));
    if (!isHidden) throw error;
    return [];
  });
}

/**
 * @param seen what must not have changed since the rollout was looked at
 * @throws ReleaseError ROLLOUT_REFUSED with the state that it is in, FEED_REFUSED, FEED_UNREACHABLE
 */
export function actOnRollout(
  feed: FeedHttp,
  { id, tool, version }: Pick<Rollout, 'id' | 'tool' | 'version'>,
  action: RolloutActionName,
  { reason, seen }: { readonly reason: string | undefined; readonly seen: Partial<Rollout> },
): Promise<Rollout> {
  return post(feed, [id, action], { reason, ...seen }, { tool, version, what: action });
}

/** @throws ReleaseError ROLLOUT_REFUSED, ROLLOUT_PLAN, FEED_REFUSED, FEED_UNREACHABLE */
export function startRollout(
  feed: FeedHttp,
  order: Pick<Rollout, 'tool' | 'version' | 'plan'> & { readonly reason: string | undefined },
): Promise<Rollout> {
  return post(feed, [], order, { tool: order.tool, version: order.version, what: 'start' });
}

/**
 * Whether the server was asked what a start would be refused for, before anything is uploaded for it: false where this key may not
 * ask, or the server is older than the question.
 * @throws ReleaseError for what is in its way, as `startRollout` does
 */
export async function foreseeStart(
  feed: FeedHttp,
  order: Pick<Rollout, 'tool' | 'packageId' | 'version' | 'plan'>,
): Promise<boolean> {
  const json = { ...order, dryRun: true };
  const response = await askServer(feed, ['rollouts'], { method: 'POST', json });
  if ([401, 403].includes(response.statusCode) && codeOf(response)?.startsWith('KEY_')) return false;
  if (response.statusCode === 400 && sentenceOf(response)?.includes('dryRun')) return false;
  requireAccepted(response, { tool: order.tool, version: order.version, what: 'start' });
  return true;
}

type About = { readonly tool: string; readonly version: string; readonly what: string };

async function post(
  feed: FeedHttp,
  path: readonly (string | number)[],
  json: object,
  about: About,
): Promise<Rollout> {
  const response = await askServer(feed, ['rollouts', ...path], { method: 'POST', json });
  requireAccepted(response, about);
  // a success that is no rollout came from something in between
  return Rollout.safeParse(jsonOf(response.body)).data ?? refuseServer(feed);
}

/** @throws ReleaseError ROLLOUT_REFUSED, ROLLOUT_PLAN, FEED_REFUSED */
function requireAccepted(response: Response<string>, about: About): void {
  const what = `${about.what} of the rollout of ${about.tool} ${about.version}`;
  const said = sentenceOf(response);
  const reason = said ?? reasonOf(response);
  if (response.statusCode === 400) fail('ROLLOUT_PLAN', { ...about, reason });
  if (response.statusCode === 409)
    fail('ROLLOUT_REFUSED', {
      ...about,
      reason: said ?? `The server refuses ${what}: ${reason}`,
      hint: statusOf(about.tool),
    });
  requireSuccess(response, what);
}

/** What to do where an action does not fit. */
export function statusOf(tool: string): string {
  return `\`release:rollout status ${tool}\` shows its state.`;
}

const Problem = z.object({ title: z.string() });

/** The body has all of the sentence, the reason phrase only its ASCII. Undefined where another program answers. */
function sentenceOf({ body }: Response<string>): string | undefined {
  return Problem.safeParse(jsonOf(body)).data?.title.replace(/\.$/, '');
}

function refuseServer({ feedUrl }: FeedHttp): never {
  return fail('ROLLOUT_UNSUITED', {
    what: 'A rollout',
    reason: `the feed ${feedUrl} is not served by a version of go-win-tools that has rollouts`,
    hint: 'Set FEED_URL to one, or use `release:promote`, which gives the version to everybody.',
  });
}
