import type { ClientGrant } from '../../../server/bucket/client-offers.ts';
import { type ClientWorld, startClientWorld } from './client-world.ts';

/** A process of its own that serves a bucket with the views in its arguments: `DIR VIEWS`. */
const [dir = '', views = '{}'] = process.argv.slice(2);
const world: ClientWorld = await startClientWorld({ dir });
for (const [client, view] of Object.entries(JSON.parse(views) as Record<string, readonly ClientGrant[]>)) {
  world.views.set(client, view);
}
process.stdout.write(`${world.server.url}\n`);
