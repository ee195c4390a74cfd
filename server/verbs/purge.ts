import { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { PurgeReport } from '../api/schemas.ts';
import { operator } from '../audit/audit.ts';
import { FeedError, fail } from '../errors.ts';
import { readJson } from './ask-server.ts';
import { type Release, reasonOption, releaseArgument } from './release-argument.ts';
import { withData } from './with-data.ts';

type Flags = { readonly reason: string; readonly force?: true; readonly json?: true };

/** The verb `feed:purge`: removes the bytes of a version for good. */
export function createCommand(invocation: Invocation): Command {
  return new Command('feed:purge')
    .description(
      'Deletes the bytes of a version for good: for legal reasons, or after a secret leaked. This cannot be undone.',
    )
    .addArgument(releaseArgument())
    .addOption(reasonOption('why, for the audit log, which keeps the entry; do not repeat the secret in it'))
    .option('--force', 'even if a branch of the bucket still offers it; Scoop then fails on it')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action(async ({ id, version }: Release, { reason, force, json }: Flags) => {
      const order = { id, version, reason, ...(force && { force }) };
      const report = await withData<PurgeReport>(invocation, {
        needsFeed: true,
        alone: ({ services }) => services.purging.purge(order, operator),
        running: (server) =>
          readJson(server, 'api/v1/purges', PurgeReport, {
            method: 'POST',
            json: order,
            // The server rewrites the whole database before it answers, which takes time if it is large.
            timeout: { socket: 600_000, response: 600_000 },
          }).catch((error: unknown) => {
            // The exit code is the same as without a running server.
            const isRolling = error instanceof FeedError && error.details.code === 'PURGE_ROLLOUT';
            return isRolling ? fail('PURGE_ROLLOUT', { id, version }, error) : Promise.reject(error);
          }),
      });
      invocation.stdout.write(json ? `${JSON.stringify(report)}\n` : told(`${id} ${version}`, report));
    });
}

const help = `
It deletes the package and the payloads of that name and version: their addresses answer 410, and no list has the version any
more. No push, import or PUT can bring the version back. To hide a version, \`feed:unlist\` is enough. What an open rollout needs is
not purged: take it back first (\`release:rollout rollback\`).

It cannot reach earlier copies: clients that have installed it (\`feed:audit downloads ID@VERSION\` names them),
backups and exports, other feeds. The bucket's git history keeps the manifest, which holds addresses and hashes only.`;

function told(name: string, { files, kept, isWaiting }: PurgeReport): string {
  const lines =
    files.length === 0
      ? [`${name} was purged before.`]
      : ['Purged for good:', ...files.map((file) => `  ${file}`)];
  for (const { sha256, names } of kept) {
    lines.push(`Its bytes ${sha256} stay, since others are the same. Purge these too to take them away:`);
    lines.push(...names.map((other) => `  ${other}`));
  }
  if (isWaiting)
    lines.push(
      'Its bytes are still on the disk, and nobody gets them: a backup, an export, a check or a long query is reading them, or the disk is full (the log of the server says so). They go as soon as that is over, while a server runs or with the next command that uses the folder.',
    );
  lines.push('Backups and exports that were made before still hold it.');
  return `${lines.join('\n')}\n`;
}
