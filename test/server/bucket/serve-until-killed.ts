import type { ClientGrant } from '../../../server/bucket/client-offers.ts';
import { type ClientFixture, startClientFixture } from './client-fixture.ts';

/** A process of its own that serves a bucket with the views in its arguments: `DIR VIEWS`. */
const [dir = '', views = '{}'] = process.argv.slice(2);
const fixture: ClientFixture = await startClientFixture({ dir });
for (const [client, view] of Object.entries(JSON.parse(views) as Record<string, readonly ClientGrant[]>)) {
  fixture.views.set(client, view);
}
process.stdout.write(`${fixture.server.url}\n`);
