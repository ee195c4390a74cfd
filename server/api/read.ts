import { promisify } from 'node:util';
import express, { type Request, type RequestHandler } from 'express';
import type * as z from 'zod';
import { type Actor, actorOf } from '../audit/audit.ts';
import { fail } from '../errors.ts';
import { lookUpKeysAgain, principalWith } from '../http/auth.ts';

/** Enough for the largest body: a key with a name, some scopes and at most 100 of each limit. */
const maxBodyBytes = 64 * 1024;

/** Parses a body of JSON. Check before it that the request has a key that may send one, and behind it that the key still may. */
export function parseJson(limit = maxBodyBytes): RequestHandler {
  const parse = promisify(express.json({ limit, reviver: refusePrototype }));
  return async (req, res, next) => {
    await parse(req, res);
    await lookUpKeysAgain(req);
    next();
  };
}

/** zod leaves this name out of a record without a word, and with it a limit that somebody wanted. */
function refusePrototype(name: string, value: unknown): unknown {
  // The parser keeps nothing but the message of what is thrown here, and answers 400.
  if (name === '__proto__') throw new SyntaxError('no field can be named __proto__');
  return value;
}

/**
 * Reads a body only if it is declared as JSON: no form on a foreign page can send that with a browser's stored password.
 * @throws FeedError BODY_INVALID
 */
export function readBody<T extends z.ZodType>(schema: T, req: Request): z.infer<T> {
  if (!req.is('application/json')) {
    fail('BODY_INVALID', { problem: 'expected Content-Type: application/json' });
  }
  const read = schema.safeParse(req.body);
  return read.success ? read.data : fail('BODY_INVALID', { problem: problemsOf(read.error) });
}

/** Whether the request has a body: where one is optional, leaving it out is not an error. */
export function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** @throws FeedError QUERY_INVALID */
export function readQuery<T extends z.ZodType>(schema: T, req: Request): z.infer<T> {
  const read = schema.safeParse(req.query);
  return read.success ? read.data : fail('QUERY_INVALID', { problem: problemsOf(read.error) });
}

/** Who asks, for the audit log. @throws FeedError KEY_SCOPE */
export async function administratorOf(req: Request): Promise<Actor> {
  return actorOf(await principalWith(req, ['admin']), req.ip);
}

/** One line of plain text, since it also becomes the reason phrase. */
function problemsOf({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
