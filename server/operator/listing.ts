import { Command } from 'commander';
import { operator } from '../audit/audit.ts';
import { relist, unlist } from '../feed/withdraw.ts';
import { type Release, reasonOption, releaseArgument } from './release-argument.ts';
import { withData } from './with-data.ts';
import type { OperatorWorld } from './world.ts';

/** The verb `feed:unlist`: hides a version; whoever names it still gets it. */
export function createUnlist(world: OperatorWorld): Command {
  return listingVerb(world, {
    name: 'feed:unlist',
    description: 'Hides a version from lists, searches and upgrades; also while the server runs.',
    help: `
Who asks for exactly this version still gets it, so that nothing breaks that names it; \`feed:relist\` shows it again.
A tool of the generator is better taken back with \`release:withdraw\`, which puts the last good version on top for
Chocolatey and Scoop; bytes that nobody may get any more are taken away with \`feed:purge\`.`,
    setListed: unlist,
    method: 'DELETE',
    is: 'unlisted',
  });
}

/** The verb `feed:relist`: shows it again. */
export function createRelist(world: OperatorWorld): Command {
  return listingVerb(world, {
    name: 'feed:relist',
    description: 'Shows a version again that was unlisted; also while the server runs.',
    help: '',
    setListed: relist,
    method: 'POST',
    is: 'listed',
  });
}

type ListingVerb = {
  readonly name: string;
  readonly description: string;
  readonly help: string;
  readonly setListed: typeof unlist;
  /** As NuGet clients ask for it (spec nuget-v2 10.4). */
  readonly method: 'DELETE' | 'POST';
  readonly is: string;
};

function listingVerb(
  world: OperatorWorld,
  { name, description, help, setListed, method, is }: ListingVerb,
): Command {
  return new Command(name)
    .description(description)
    .addArgument(releaseArgument())
    .addOption(reasonOption('why, for the audit log'))
    .addHelpText('after', help)
    .action(async ({ id, version }: Release, { reason }: { reason: string }) => {
      await withData(world, {
        needsFeed: true,
        alone: ({ services }) => setListed(services, id, version, operator, reason),
        running: async ({ ask }) => {
          const headers = { 'x-reason': encodeURIComponent(reason) };
          await ask(`nuget/package/${encodeURIComponent(id)}/${encodeURIComponent(version)}`, {
            method,
            headers,
          });
        },
      });
      world.stdout.write(`${id} ${version} is ${is}.\n`);
    });
}
