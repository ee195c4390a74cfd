import { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { operator } from '../audit/audit.ts';
import { relist, unlist } from '../feed/withdraw.ts';
import { type Release, reasonOption, releaseArgument } from './release-argument.ts';
import { withData } from './with-data.ts';

/** The verb `feed:unlist`: hides a version, which can still be installed by its number. */
export function createUnlist(invocation: Invocation): Command {
  return listingVerb(invocation, {
    name: 'feed:unlist',
    description: 'Hides a version from lists, searches and upgrades; also while the server runs.',
    help: `
Clients that ask for exactly this version still get it, so nothing that names it breaks; \`feed:relist\` shows it again.
For a tool of the generator use \`release:withdraw\` instead, which also publishes the last good version as a correction, for
Chocolatey and Scoop. To delete bytes that nobody may have any more, use \`feed:purge\`.`,
    setListed: unlist,
    method: 'DELETE',
    is: 'unlisted',
  });
}

/** The verb `feed:relist`: shows it again. */
export function createRelist(invocation: Invocation): Command {
  return listingVerb(invocation, {
    name: 'feed:relist',
    description: 'Shows an unlisted version again; also while the server runs.',
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
  /** As NuGet clients do it (spec nuget-v2 10.4). */
  readonly method: 'DELETE' | 'POST';
  readonly is: string;
};

function listingVerb(
  invocation: Invocation,
  { name, description, help, setListed, method, is }: ListingVerb,
): Command {
  return new Command(name)
    .description(description)
    .addArgument(releaseArgument())
    .addOption(reasonOption('why, for the audit log'))
    .addHelpText('after', help)
    .action(async ({ id, version }: Release, { reason }: { reason: string }) => {
      await withData(invocation, {
        needsFeed: true,
        alone: ({ services }) =>
          setListed(
            { ...services, approvals: services.config.approvals ?? [] },
            id,
            version,
            operator,
            reason,
          ),
        running: async ({ ask }) => {
          const headers = { 'x-reason': encodeURIComponent(reason) };
          await ask(`nuget/package/${encodeURIComponent(id)}/${encodeURIComponent(version)}`, {
            method,
            headers,
          });
        },
      });
      invocation.stdout.write(`${id} ${version} is ${is}.\n`);
    });
}
