import express from 'express';
import { describe, expect, it } from 'vitest';
import { fail } from '../../../server/errors.ts';
import { identify, lookUpKeysAgain, principalWith, requireSameKey } from '../../../server/http/auth.ts';
import { createErrorHandler } from '../../../server/http/error-handler.ts';
import {
  catchUpWith,
  createFreshGate,
  doubtRefusals,
  refuseWhenBehind,
} from '../../../server/http/fresh-gate.ts';
import { createGuessThrottle } from '../../../server/http/guess-throttle.ts';
import { makeKeyTerms } from '../../kit/key-terms.ts';
import { useListeners } from '../../kit/listen.ts';

const { serve } = useListeners();

/** A replica whose copy has package foo 1.0.0 and nothing else. */
async function startReplica(freshness: { readonly isFresh: boolean; readonly isAway: boolean }) {
  const app = express();
  app.use(refuseWhenBehind());
  app.get('/healthz', (_req, res) => void res.send('ok'));
  app.get('/nuget/package/foo/1.0.0', (_req, res) => void res.send('bytes'));
  app.get('/nuget/package/closed/1.0.0', () => fail('PASSWORD_REVOKED'));
  app.get('/nuget/', (_req, res) => void res.send('a list'));
  app.use(() => fail('ROUTE_UNKNOWN', { path: '/' }));
  app.use(doubtRefusals);
  app.use(createErrorHandler({ error: () => undefined } as never));
  const gate = createFreshGate(
    {
      isFresh: () => freshness.isFresh,
      isAway: () => freshness.isAway,
      refresh: () => Promise.reject(new Error('no contact')),
    },
    app,
    app,
  );
  const { url } = await serve(gate);
  return async (path: string, method = 'GET') => (await fetch(`${url}${path}`, { method })).status;
}

describe('a replica that has contact with its database', () => {
  it('answers from its copy', async () => {
    const ask = await startReplica({ isFresh: true, isAway: false });

    expect(await ask('/nuget/')).toBe(200);
    expect(await ask('/nuget/package/foo/2.0.0')).toBe(404);
  });
});

describe.each([
  { name: 'knows that its database is away', isAway: true },
  { name: 'learns it when it asks', isAway: false },
])('a replica that $name', ({ isAway }) => {
  it.each([
    ['GET', '/nuget/package/foo/1.0.0', 200, 'bytes that never change'],
    ['GET', '/healthz', 200, 'that it lives'],
    ['GET', '/nuget/', 503, 'no list'],
    ['PUT', '/nuget/package/foo/1.0.0', 503, 'no push'],
    [
      'GET',
      '/nuget/package/foo/2.0.0',
      503,
      'not that a package is missing, which another replica may have confirmed',
    ],
    ['GET', '/dl/foo/2.0.0/foo.exe', 503, 'not that a payload is missing'],
    ['GET', '/nuget/package/closed/1.0.0', 503, 'not that a key is wrong, which may be new'],
  ])('answers %s %s with %i: %s', async (method, path, status) => {
    const ask = await startReplica({ isFresh: false, isAway });

    expect(await ask(path, method)).toBe(status);
  });
});

/** A replica that does not know yet that a key was revoked, and whose requests all began when it need not know. */
async function startUnaware(freshness: { readonly isFresh: boolean; readonly isAway: boolean }) {
  const revoked = new Date();
  let isKnown = freshness.isFresh;
  const refresh = async (): Promise<void> => {
    if (freshness.isAway) fail('COPY_BEHIND');
    isKnown = true;
  };
  const find = async () => {
    const key = makeKeyTerms({ scopes: ['push'] });
    return isKnown ? { key, refusal: { why: 'revoked' as const, at: revoked } } : { key };
  };
  const app = express();
  const catchUp = () => catchUpWith({ isFresh: () => isKnown, refresh });
  app.use(
    identify(
      find,
      createGuessThrottle(() => new Date()),
      catchUp,
    ),
  );
  app.put('/same', async (req, res) => {
    const key = await principalWith(req, ['push']);
    await requireSameKey(req, key);
    res.status(201).end();
  });
  app.put('/again', async (req, res) => {
    await principalWith(req, ['push']);
    await lookUpKeysAgain(req);
    res.status(201).end();
  });
  app.use(createErrorHandler({ error: () => undefined } as never));
  const { url } = await serve(app);
  return async (path: string) =>
    (await fetch(`${url}${path}`, { method: 'PUT', headers: { 'X-NuGet-ApiKey': 'secret' } })).status;
}

describe.each(['/same', '/again'])('a key that is looked up again after a body (%s)', (path) => {
  it('is refused when another replica has revoked it meanwhile', async () => {
    const send = await startUnaware({ isFresh: false, isAway: false });

    expect(await send(path)).toBe(403);
  });

  it('is not believed while the database is away', async () => {
    const send = await startUnaware({ isFresh: false, isAway: true });

    expect(await send(path)).toBe(503);
  });
});
