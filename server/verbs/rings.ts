import { Command } from 'commander';
import * as z from 'zod';
import type { Invocation } from '../../invocation.ts';
import { operator } from '../audit/audit.ts';
import { RingJson } from '../clients/ring-json.ts';
import { fail } from '../errors.ts';
import { readJson } from './ask-server.ts';
import { printTable } from './table.ts';
import { withData } from './with-data.ts';

/** The verb `feed:rings`: which clients get a rollout together. */
export function createCommand(invocation: Invocation): Command {
  const command = new Command('feed:rings')
    .description('Sets, lists and removes rings: names for groups of clients; also while the server runs.')
    .addHelpText('after', help)
    // Before the subcommands are made, since they inherit it.
    .exitOverride();
  command
    .command('set')
    .description('Creates a ring, or gives it other clients in place of those that it had.')
    .argument('<name>', 'as plans of rollouts name it, such as canary')
    .argument('<glob...>', 'client ids, with * for any text and ? for any character')
    .action((name: string, globs: string[]) => set(invocation, name, globs));
  command
    .command('list')
    .description('All rings and their clients.')
    .option('--json', 'one JSON object per line')
    .action((flags: Json) => list(invocation, flags));
  command
    .command('remove')
    .description('Removes a ring. Machines that have a version already keep it.')
    .argument('<name>', 'as `feed:rings list` shows it')
    .action((name: string) => remove(invocation, name));
  return command;
}

type Json = { json?: true };

const help = `
A client id is what stands after /c/ in the addresses of one machine, by default the computer's name. Quote globs, so that the
shell leaves them alone: feed:rings set canary 'it-*' pc-0001`;

async function set(invocation: Invocation, name: string, globs: readonly string[]): Promise<void> {
  const wanted = RingJson.safeParse({ name, globs });
  if (!wanted.success) {
    fail('RING_UNUSABLE', { problem: wanted.error.issues.map(({ message }) => message).join('; ') });
  }
  const ring = wanted.data;
  await withData<unknown>(invocation, {
    needsFeed: true,
    alone: ({ services }) => services.rings.set(ring, operator),
    running: (server) => readJson(server, 'api/v1/rings', RingJson, { method: 'POST', json: ring }),
  });
  invocation.stderr.write(`The ring ${ring.name} has the clients ${ring.globs.join(', ')}.\n`);
}

async function list(invocation: Invocation, { json }: Json): Promise<void> {
  const rings = await withData(invocation, {
    needsFeed: true,
    alone: ({ services }) => services.rings.list(),
    running: (server) => readJson(server, 'api/v1/rings', z.array(RingJson)),
  });
  if (json) {
    for (const ring of rings) invocation.stdout.write(`${JSON.stringify(ring)}\n`);
    return;
  }
  const rows = rings.map(({ name, globs }) => [name, globs.join(' ')]);
  invocation.stdout.write(printTable(['NAME', 'CLIENTS'], rows));
}

async function remove(invocation: Invocation, name: string): Promise<void> {
  await withData<unknown>(invocation, {
    needsFeed: true,
    async alone({ services }) {
      if ((await services.rings.remove(name, operator)) === 'missing') fail('RING_UNKNOWN', { name });
    },
    running: ({ ask }) => ask(`api/v1/rings/${encodeURIComponent(name)}`, { method: 'DELETE' }),
  });
  invocation.stderr.write(`The ring ${name} is removed.\n`);
}
