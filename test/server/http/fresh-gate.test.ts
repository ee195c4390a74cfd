import express from 'express';
import { describe, expect, it } from 'vitest';
import { fail } from '../../../server/errors.ts';
import { createErrorHandler } from '../../../server/http/error-handler.ts';
import { createFreshGate, doubtRefusals, refuseWhenBehind } from '../../../server/http/fresh-gate.ts';
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
