import express, { type Request, type Router } from 'express';
import { FeedError } from '../errors.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { GuessThrottle } from '../http/guess-throttle.ts';
import { holdBack } from '../http/key-refusal.ts';
import type { Logger } from '../log.ts';
import { type ExchangedKey, exchange } from '../trust/exchange.ts';
import { type ExchangedKeyJson, TokenJson, toExchangeRequest } from '../trust/token-json.ts';
import type { Trust } from '../trust/trust.ts';
import { parseJson, readBody } from './read.ts';

export type TokenServices = {
  readonly trust: Trust;
  readonly slowDown: GuessThrottle;
  readonly log: Logger;
  readonly now: () => Date;
};

const maxBodyBytes = 16 * 1024;

/** Exchanges the OIDC token of a CI job for a key. It needs no other key, and says in the log nothing of a token that it refuses. */
export function createTokenRouter(services: TokenServices): Router {
  const { log } = services;
  const router = express.Router();
  router
    .route('/token')
    .post(parseJson(maxBodyBytes), async (req, res) => {
      const { id, name, key, publisher, expires } = await exchangeSlowly(services, req);
      log.info({ keyId: id, keyName: name, publisher }, 'token exchanged');
      const made: ExchangedKeyJson = { id, name, key, expires: expires.toISOString() };
      res.status(201).json(made);
    })
    .all(methodNotAllowed('POST'));
  return router;
}

/** Whoever sends tokens that nobody has signed is slowed down, as those with wrong keys are; the others guess nothing. */
async function exchangeSlowly(
  { trust, slowDown, log, now }: TokenServices,
  req: Request,
): Promise<ExchangedKey> {
  const body = readBody(TokenJson, req);
  const { ip: from = 'unknown' } = req;
  try {
    return await exchange(trust, toExchangeRequest(body, from), now());
  } catch (error) {
    if (!(error instanceof FeedError) || error.status >= 500) throw error;
    log.warn({ code: error.code, from }, 'token refused');
    if (error.code === 'TOKEN_INVALID')
      await holdBack(slowDown.failed({ from: req.ip, user: 'a token', secret: body.token }));
    throw error;
  }
}
