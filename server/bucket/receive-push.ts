import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { type Actor, actorOf } from '../audit/audit.ts';
import { fail } from '../errors.ts';
import type { Approvals } from '../feed/approvals.ts';
import { requireSameKey } from '../http/auth.ts';
import { reasonOf } from '../http/reason.ts';
import type { Principal } from '../keys/api-keys.ts';
import type { Logger } from '../log.ts';
import type { GitAddress } from './address.ts';
import { type CheckDeps, checkPush, refuseFor } from './check-push.ts';
import { confirmRefUpdates, readAllRefs } from './confirm-ref-updates.ts';
import type { BucketEvents } from './events.ts';
import type { Git } from './git-backend.ts';
import type { Refs } from './git-bundle.ts';
import { acceptedFile, forgetAccepted, hookEnvironment, requireHooks, writeAccepted } from './hook.ts';
import type { CheckPush, HookRequest, HookServer, Verdict } from './hook-server.ts';
import { serveGit } from './http-backend.ts';
import { pack } from './pack.ts';
import { type PktLines, readPktLines } from './pkt-line.ts';
import type { PushCommands } from './push.ts';
import { commandLines, type PushRequest, parsePushRequest } from './push-request.ts';
import { readUpdates } from './read-push.ts';
import { movesOf, recordRefUpdates } from './record-ref-updates.ts';
import { refusalReport } from './refusal-report.ts';
import { openBody } from './request-body.ts';
import { applyCommandRules } from './rules.ts';
import type { Moving, SharedRepository } from './shared-repository.ts';

export type ReceiveDeps = CheckDeps & {
  /** The repository under its two addresses. */
  readonly served: Git;
  readonly hookServer: HookServer;
  readonly events: BucketEvents;
  /** The setting RESERVED_IDS. */
  readonly reservedIds: readonly string[];
  /** The setting APPROVALS. */
  readonly approvals: Approvals;
  /** Gets the commits that a push has moved branches to: git has checked that they are whole. */
  readonly proven: Set<string>;
  /** Where other servers have to agree first. */
  readonly shared?: Pick<SharedRepository, 'catchUp' | 'publish'> | undefined;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
};

export type PushOutcome = 'published' | 'refused';

export type Receive = (
  address: GitAddress,
  req: Request,
  res: Response,
  pusher: Principal,
) => Promise<PushOutcome | undefined>;

const limits = {
  maxBytes: 48 * 1024 ** 2,
  /** Time limits: for the whole push, for its list of refs, and from the start of the check to the end of git. */
  maxMs: 10 * 60_000,
  listMs: 30_000,
  turnMs: 2 * 60_000,
  /** How often a push is checked whose bucket moves on another server meanwhile. */
  attempts: 5,
};

/**
 * Receives pushes: the list of refs is read before git sees it, git asks the rules before a ref moves, and afterwards the refs
 * are compared with what was accepted.
 */
export function createReceive(deps: ReceiveDeps): Receive {
  const { git, served, hookServer, proven, log, reservedIds, approvals, stopping, events, shared } = deps;

  return async (address, req, res, pusher) => {
    await requireHooks(git.dir);
    // Read now: a closed connection no longer has an address.
    const by = actorOf(pusher, req.ip);
    const body = openBody(req, limits.maxBytes);
    try {
      return await take(body, address, req, res, pusher, by);
    } finally {
      body.destroy();
    }
  };

  async function take(
    body: Readable,
    address: GitAddress,
    req: Request,
    res: Response,
    pusher: Principal,
    by: Actor,
  ): Promise<PushOutcome | undefined> {
    const list = await readList(body);
    const request = parsePushRequest(list.packets);
    if (request.commands.length === 0 && !request.isShallow) {
      // git asks this way whether it needs a key, before it sends a large pack.
      answer(res, Buffer.alloc(0));
      return undefined;
    }
    const commands = await commandsOf(request, pusher);
    const faults = applyCommandRules(commands);
    if (faults.length > 0) {
      answer(res, refusalReport(request, refuseFor(faults, commands, log).lines));
      return 'refused';
    }
    return send(list, { request, commands }, address, req, res, by);
  }

  async function commandsOf(request: PushRequest, pusher: Principal): Promise<PushCommands> {
    return {
      pusher,
      reservedIds,
      approvals,
      updates: await readUpdates(git, request.commands),
      isAtomic: request.capabilities.has('atomic'),
      isShallow: request.isShallow,
    };
  }

  async function send(
    list: PktLines,
    push: { readonly request: PushRequest; readonly commands: PushCommands },
    address: GitAddress,
    req: Request,
    res: Response,
    by: Actor,
  ): Promise<PushOutcome | undefined> {
    const { request } = push;
    const file = acceptedFile(git.dir, randomUUID());
    const over = new AbortController();
    const expired = new AbortController();
    let accepted: { readonly before: Refs; readonly commands: PushCommands } | undefined;
    let outcome: PushOutcome | undefined;
    let published: Moving | undefined;

    const decide: CheckPush = async (question) => {
      // Held until git has ended.
      const release = await events.lock(over.signal);
      over.signal.addEventListener('abort', release, { once: true });
      if (over.signal.aborted) {
        release();
      }
      const timer = setTimeout(() => expired.abort(), limits.turnMs);
      over.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
      outcome = 'refused';
      requireSame(request, question.updates, log);
      const { commands, verdict } = await judge(question);
      if (verdict.isAccepted && !over.signal.aborted) {
        accepted = { before: await readAllRefs(git), commands };
        await writeAccepted(file, commandLines(request.commands));
        if (over.signal.aborted) await forgetAccepted(file);
      }
      if (over.signal.aborted) await published?.settle();
      return verdict;
    };

    /** Again where another server was faster: both pushes may be valid. */
    async function judge(
      question: HookRequest,
      attempt = 1,
    ): Promise<{ readonly commands: PushCommands; readonly verdict: Verdict }> {
      const seen = await shared?.catchUp();
      // Read again: nobody else here can move a ref from now on.
      const commands = await commandsOf(request, push.commands.pusher);
      let isOvertaken = false;
      const verdict = await checkPush(deps, commands, question, async (quarantine) => {
        const confirm = () => requireSameKey(req, commands.pusher);
        await confirm();
        if (shared === undefined || seen === undefined || over.signal.aborted) return;
        const publication = { moves: movesOf(commands.updates), by, reason: reasonOf(req) };
        published = await shared.publish(seen, publication, quarantine, confirm);
        isOvertaken = published === undefined;
        if (isOvertaken) fail('BUCKET_MOVED');
      });
      return isOvertaken && attempt < limits.attempts ? judge(question, attempt + 1) : { commands, verdict };
    }

    const finish = once(async () => {
      if (accepted === undefined) {
        await published?.settle();
        return;
      }
      await forgetAccepted(file);
      const { updates } = accepted.commands;
      // A ref that has moved gets its audit entry, even if comparing fails.
      const isRight = await confirmRefUpdates({ git, log }, accepted.before, updates).catch((err) => {
        log.error({ err }, 'the refs could not be compared with what was accepted');
        return false;
      });
      if (published !== undefined) {
        outcome = 'published';
        if (!(await published.settle()))
          fail('GIT_FAILED', {}, new Error('git has not moved the published refs'));
      } else if (await recordRefUpdates({ ...deps, git }, updates, by, reasonOf(req))) outcome = 'published';
      if (!isRight) fail('GIT_FAILED', {}, new Error('git moved other refs than were accepted'));
      if (outcome !== 'published') return;
      for (const { next } of updates) if (next !== undefined) proven.add(next);
    });

    const ticket = hookServer.issue(decide);
    try {
      const { code, stderr } = await serveGit(served, address, req, res, {
        repository: `${address.channel}.git`,
        env: hookEnvironment(git.dir, hookServer.port, ticket.token, file),
        body: bodyOf(list),
        maxMs: limits.maxMs,
        signal: stopping,
        expired: expired.signal,
        isHeld: () => accepted !== undefined,
        onEnd: finish,
      });
      if (code !== 0) {
        log.warn({ code, stderr, service: address.service }, 'git ended early');
      }
    } finally {
      ticket.close();
      await finish().finally(() => over.abort(new Error('the push is over')));
    }
    if (outcome === 'published') await pack(git, log, limits.maxMs);
    return outcome;
  }
}

async function readList(body: Readable): Promise<PktLines> {
  const timer = setTimeout(
    () => body.destroy(new Error('the list of refs did not arrive in time')),
    limits.listMs,
  );
  try {
    return await readPktLines(body);
  } finally {
    clearTimeout(timer);
  }
}

function once<Answer>(work: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined;
  return () => {
    answer ??= work();
    return answer;
  };
}

async function* bodyOf({ head, rest }: PktLines): AsyncGenerator<Buffer> {
  yield head;
  yield* rest;
}

/** git must be about to do exactly what was read. */
function requireSame({ commands }: PushRequest, told: string, log: Logger): void {
  const lines = told.split('\n').filter((line) => line !== '');
  if (lines.sort().join('\n') !== commandLines(commands).join('\n')) {
    log.error({ commands, told }, 'git reads other commands in a push than the server does');
    throw new Error('git reads other commands');
  }
}

function answer(res: Response, body: Buffer): void {
  res
    .status(200)
    .set({ 'Content-Type': 'application/x-git-receive-pack-result', 'Cache-Control': 'no-cache' })
    .end(body);
}
