import * as z from 'zod';
import type { ClientDownload, KnownClient } from '../clients/clients.ts';
import { rolloutStates } from './rollout.ts';
import type { Standing } from './standing.ts';

const Day = z.iso.date();
const Time = z.iso.datetime();

/** A machine and what it is offered, as programs read it (contract section 9). */
export const ClientJson = z.object({
  id: z.string(),
  firstSeen: Day.optional().describe('Absent: it never asked under its own addresses.'),
  lastSeen: Day.optional(),
  rings: z.array(z.string()).readonly(),
  rollouts: z
    .array(
      z.object({
        id: z.int(),
        tool: z.string(),
        version: z.string(),
        state: z.enum(rolloutStates),
        position: z.int().describe('0 to 9999: below a hundred times the percentage it is reached.'),
        isReached: z.boolean().describe('Whether the steps so far reach it, by ring or position.'),
        admittedAt: Time.optional(),
        receivedAt: Time.optional().describe(
          'When it had downloaded the version, or was served its manifest.',
        ),
      }),
    )
    .describe(
      'Those that are open, and of those that it was admitted to: what was rolled back, and what was superseded and is above what everybody is offered.',
    ),
  offers: z
    .array(
      z.object({
        tool: z.string(),
        packageId: z.string(),
        version: z.string().optional(),
        why: z.enum(['everybody', 'rollout', 'correction']),
        rollout: z.int().optional(),
      }),
    )
    .describe(
      'Per tool that was ever rolled out, or that was asked for: the version that the client is offered, and why.',
    ),
  downloaded: z
    .array(z.object({ packageId: z.string(), version: z.string(), day: Day }))
    .describe('What it downloaded last of each package over NuGet, by choco for example.'),
});
export type ClientJson = z.infer<typeof ClientJson>;

/** Query of GET /api/v1/clients. */
export const ClientsParameters = z.strictObject({
  after: z.string().max(64).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(500).default(200),
});

/** Answer of GET /api/v1/clients, by id. */
export const ClientsPage = z.object({
  clients: z.array(ClientJson),
  next: z.string().nullable().describe('For `after`; null on the last page.'),
});
export type ClientsPage = z.infer<typeof ClientsPage>;

/** Query of GET /api/v1/clients/ID. */
export const ClientParameters = z.strictObject({
  tool: z.string().max(100).optional().describe('What it is offered of this tool alone.'),
});

export function toClientJson(
  id: string,
  seen: KnownClient | undefined,
  { rings, rollouts, offers }: Standing,
  downloaded: readonly ClientDownload[],
): ClientJson {
  return {
    id,
    ...(seen === undefined ? {} : { firstSeen: seen.firstSeen, lastSeen: seen.lastSeen }),
    rings,
    rollouts: rollouts.map(({ admittedAt, receivedAt, ...rest }) => ({
      ...rest,
      ...(admittedAt === undefined ? {} : { admittedAt: new Date(admittedAt).toISOString() }),
      ...(receivedAt === undefined ? {} : { receivedAt: new Date(receivedAt).toISOString() }),
    })),
    offers: [...offers],
    downloaded: [...downloaded],
  };
}
