import express, { type Request, type RequestHandler, type Router } from 'express';
import type { z } from 'zod';
import { type Actor, actorOf } from '../audit/audit.ts';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/answer-error.ts';
import { principalOf, requireScope } from '../http/auth.ts';
import type { KeyRecord } from '../keys/api-keys.ts';
import type { Keys } from '../keys/keys.ts';
import type { Logger } from '../log.ts';
import { type CreatedKey, type ListedKey, NewKeyBody, type ServerInfo } from './schemas.ts';

export type AdminServices = {
  readonly keys: Keys;
  readonly publicUrl: () => string;
  readonly version: string;
  readonly log: Logger;
};

/** The door for programs that look after the server: JSON under /api/v1. */
export function createAdminRouter({ keys, publicUrl, version, log }: AdminServices): Router {
  const router = express.Router();
  router.use((_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  router
    .route('/server')
    .get((_req, res) => {
      res.json(serverInfo(publicUrl(), version));
    })
    .all(methodNotAllowed('GET, HEAD'));

  router.use('/keys', requireAdmin);
  router
    .route('/keys')
    .get(async (_req, res) => {
      const listed: ListedKey[] = (await keys.list()).map(toListedKey);
      res.json(listed);
    })
    .post(express.json({ limit: '64kb' }), async (req, res) => {
      const wanted = readBody(NewKeyBody, req);
      const created: CreatedKey = await keys.create(wanted, await administratorOf(req));
      log.info({ keyId: created.id, keyName: wanted.name, scopes: wanted.scopes }, 'key created');
      res.status(201).json(created);
    })
    .all(methodNotAllowed('GET, HEAD, POST'));
  router
    .route('/keys/:id')
    .delete(async (req, res) => {
      const { id } = req.params;
      if ((await keys.revoke(id, await administratorOf(req))) === 'missing') {
        fail('KEY_NOT_FOUND', { id });
      }
      log.info({ keyId: id }, 'key revoked');
      res.status(204).end();
    })
    .all(methodNotAllowed('DELETE'));
  return router;
}

/** Before the body is read: whoever has no key sends none. */
const requireAdmin: RequestHandler = async (req, _res, next) => {
  requireScope(await principalOf(req), 'admin');
  next();
};

async function administratorOf(req: Request): Promise<Actor> {
  return actorOf(requireScope(await principalOf(req), 'admin'), req.ip);
}

/** Only JSON that says so is read, which no form of a foreign page can send with a browser's stored password. */
function readBody<T extends z.ZodType>(schema: T, req: Request): z.infer<T> {
  if (!req.is('application/json')) {
    fail('BODY_INVALID', { problem: 'expected Content-Type: application/json' });
  }
  const read = schema.safeParse(req.body);
  return read.success
    ? read.data
    : fail('BODY_INVALID', { problem: read.error.issues.map(problemOf).join('; ') });
}

/** One line of plain text, since it goes into the reason phrase too. */
function problemOf({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

function toListedKey({ keyId, name, scopes, ids, created, lastUsed, revoked }: KeyRecord): ListedKey {
  return {
    id: keyId,
    name,
    scopes: [...scopes],
    ids: [...ids],
    created: created.toISOString(),
    lastUsed: lastUsed?.toISOString() ?? null,
    revoked: revoked?.toISOString() ?? null,
  };
}

function serverInfo(publicUrl: string, version: string): ServerInfo {
  return {
    name: 'go-win-tools',
    version,
    publicUrl,
    feedUrl: `${publicUrl}/nuget`,
    payloadUrl: `${publicUrl}/dl`,
    bucketUrls: {
      main: `${publicUrl}/git/main/go-win-tools.git`,
      beta: `${publicUrl}/git/beta/go-win-tools.git`,
    },
  };
}
