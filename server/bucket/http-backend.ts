import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { fail } from '../errors.ts';
import type { GitAddress } from './address.ts';
import { type CgiHead, readCgiHead } from './cgi-head.ts';
import { type Environment, endGit, type Git, startGit, whenEnded } from './git-backend.ts';

export type BackendOptions = {
  /** The repository to serve, as a path below the bucket's folder. */
  readonly repository: string;
  readonly env: Environment;
  /** git's input. */
  readonly body: AsyncIterable<Buffer>;
  /** How long git may work on one request. Idle connections are ended by the listener. */
  readonly maxMs: number;
  /** Aborted when the server stops. */
  readonly signal: AbortSignal;
  /** Aborted when git has to end immediately. */
  readonly expired?: AbortSignal;
  /** Whether the answer has to wait until git has ended. */
  readonly isHeld?: () => boolean;
  /** Called when git has ended, before the rest of the answer; if it throws, the answer breaks off. */
  readonly onEnd?: () => Promise<void>;
};

/**
 * Answers one request of a git client through `git http-backend`, git's own server side, which handles protocol versions, packs
 * and quarantine; limits are ours. Returns git's exit after it has ended.
 * @throws FeedError GIT_FAILED when git prints nothing
 */
export async function serveGit(
  git: Git,
  address: GitAddress,
  req: Request,
  res: Response,
  options: BackendOptions,
): Promise<{ code: number | string; stderr: string }> {
  const { repository, env, signal, expired } = options;
  const child = startGit(git, ['http-backend'], { ...cgiEnvironment(git, repository, address, req), ...env });
  const ended = whenEnded(child);
  // A push is never killed, since it may be moving branches: the end of its input makes git stop and clean up after itself.
  const end = (): void => {
    if (address.access === 'write') {
      child.stdin.destroy();
    } else {
      endGit(child);
    }
  };
  const kill = (): void => endGit(child);
  const timer = setTimeout(kill, options.maxMs);
  res.once('close', end);
  signal.addEventListener('abort', end, { once: true });
  expired?.addEventListener('abort', kill, { once: true });
  try {
    // For git, a body that breaks off is an early end of input, which it reports in its own words.
    pipeline(options.body, child.stdin).catch(() => undefined);
    const output = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const head = await readHead(output);
    if (head === undefined) {
      const { code, stderr } = await ended;
      return fail('GIT_FAILED', {}, new Error(`git http-backend ended with ${code}: ${stderr}`));
    }
    res.status(head.status).set({
      'Content-Type': head.headers.get('content-type') ?? 'text/plain',
      // Clients ask for the current branches; a caching proxy would show them old ones.
      'Cache-Control': 'no-cache, no-store, max-age=0, must-revalidate',
      Pragma: 'no-cache',
    });
    // When a client leaves early, the `close` of its response ends git.
    await pipeline(answerOf(restOf(head, output), ended, options), res).catch(() => undefined);
    await drain(output);
    return await ended;
  } catch (error) {
    endGit(child);
    // Whoever waits for this may let the next push move refs.
    child.stdout.destroy();
    await ended.catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    expired?.removeEventListener('abort', kill);
  }
}

/** The pusher gets the success message only after it has become true. */
async function* answerOf(
  output: AsyncIterable<Buffer>,
  ended: Promise<unknown>,
  { isHeld, onEnd }: BackendOptions,
): AsyncGenerator<Buffer> {
  const held: Buffer[] = [];
  for await (const chunk of output) {
    if (isHeld?.() === true) held.push(chunk);
    else yield chunk;
  }
  await ended;
  await onEnd?.();
  yield* held;
}

function cgiEnvironment(
  git: Git,
  repository: string,
  { service, isAdvertisement }: GitAddress,
  req: Request,
): Environment {
  const protocol = req.headers['git-protocol'];
  return {
    GIT_PROJECT_ROOT: git.dir,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: isAdvertisement ? 'GET' : 'POST',
    PATH_INFO: `/${repository}/${isAdvertisement ? 'info/refs' : service}`,
    QUERY_STRING: isAdvertisement ? `service=${service}` : '',
    CONTENT_TYPE: req.headers['content-type'] ?? '',
    SERVER_PROTOCOL: 'HTTP/1.1',
    // The client asks for protocol v2 in a header of its own.
    ...(typeof protocol === 'string' && /^[a-z0-9=:.-]{1,200}$/.test(protocol)
      ? { GIT_PROTOCOL: protocol, HTTP_GIT_PROTOCOL: protocol }
      : {}),
  };
}

async function readHead(output: AsyncIterator<Buffer>): Promise<CgiHead | undefined> {
  let held: Buffer = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await output.next();
    if (done === true) {
      return undefined;
    }
    held = Buffer.concat([held, value]);
    const head = readCgiHead(held);
    if (head !== undefined) {
      return head;
    }
  }
}

async function* restOf({ rest }: CgiHead, output: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (rest.length > 0) {
    yield rest;
  }
  for (;;) {
    const { value, done } = await output.next();
    if (done === true) {
      return;
    }
    yield value;
  }
}

/** git does not end until its output has been read. */
async function drain(output: AsyncIterator<Buffer>): Promise<void> {
  while ((await output.next()).done !== true) {
    // Nobody needs it any more.
  }
}
