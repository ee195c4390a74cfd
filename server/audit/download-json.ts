import * as z from 'zod';
import type { DownloadCount } from './downloads.ts';

/** A download as programs read it, in GET /api/v1/downloads and `feed:audit downloads --json`. */
export const DownloadJson = z.object({
  id: z.string(),
  version: z.string(),
  file: z.string().optional().describe('For a payload of Scoop.'),
  keyName: z.string().optional().describe('Where reading needs a key.'),
  from: z.string().optional().describe('Address of the client.'),
  client: z.string().optional().describe('User-Agent.'),
  count: z.int(),
  first: z.iso.datetime(),
  last: z.iso.datetime(),
});
export type DownloadJson = z.infer<typeof DownloadJson>;

export function toDownloadJson({ first, last, ...rest }: DownloadCount): DownloadJson {
  return { ...rest, first: first.toISOString(), last: last.toISOString() };
}
