import * as z from 'zod';
import { readDuration } from '../../formats/duration.ts';
import { type ExchangeRequest, maxLifetimeMs } from './exchange.ts';
import { maxTokenBytes } from './id-token.ts';

/** Body of POST /api/v1/token: never in the address, which proxies and logs keep. */
export const TokenJson = z.strictObject({
  token: z.string().min(1).max(maxTokenBytes).describe("The CI job's OIDC token (a JWT)."),
  publisher: z.string().min(1).max(100).optional().describe('The name of the publisher, where several fit.'),
  lifetime: z
    .string()
    .refine(isLifetime, 'expected at least 1m and at most 1h')
    .optional()
    .describe('How long the key is good for: 15m where nothing is said, 1h at most.'),
});
export type TokenJson = z.infer<typeof TokenJson>;

/** Answer of POST /api/v1/token. The key is shown once. */
export const ExchangedKeyJson = z.object({
  id: z.string(),
  name: z.string().describe('The publisher and the run, as the audit log has it.'),
  key: z.string(),
  expires: z.iso.datetime(),
});
export type ExchangedKeyJson = z.infer<typeof ExchangedKeyJson>;

export function toExchangeRequest({ token, publisher, lifetime }: TokenJson, from: string): ExchangeRequest {
  return { token, publisher, from, lifetimeMs: lifetime === undefined ? undefined : readDuration(lifetime) };
}

function isLifetime(text: string): boolean {
  const ms = readDuration(text);
  return ms !== undefined && ms >= 60_000 && ms <= maxLifetimeMs;
}
