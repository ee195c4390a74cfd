import { Command, Option } from 'commander';
import { z } from 'zod';
import { operator } from '../audit/audit.ts';
import { FeedError, fail } from '../errors.ts';
import { scopes } from '../keys/api-keys.ts';
import { CreatedKeyJson, ListedKeyJson, NewKeyJson, toListedKey } from '../keys/key-json.ts';
import type { Keys } from '../keys/keys.ts';
import { type RunningServer, readJson } from './ask-server.ts';
import { printTable } from './table.ts';
import { withData } from './with-data.ts';
import type { OperatorWorld } from './world.ts';

/** The verb `feed:keys`: who may do what. */
export function createCommand(world: OperatorWorld): Command {
  const command = new Command('feed:keys')
    .description('Makes, lists and revokes keys; also while the server runs.')
    // Before the subcommands are made, since they inherit it.
    .exitOverride();
  command
    .command('add')
    .description('Makes a key and prints it, once, as the only line on stdout.')
    .requiredOption('--name <name>', 'for people and for the log, such as the pipeline that uses it')
    .addOption(
      new Option('--scope <scope...>', 'what it may do; may be given again')
        .choices(scopes)
        .makeOptionMandatory(),
    )
    .option('--id <glob...>', 'ids and tools it is good for, with * and ?; none means all')
    // The first key may be made before the first start.
    .action((flags: AddFlags) => withKeys(world, (keys) => add(world, keys, flags), { needsFeed: false }));
  command
    .command('list')
    .description('All keys, revoked ones too, oldest first. None is shown itself: only its hash is kept.')
    .option('--json', 'one JSON object a line')
    .action((flags: { json?: true }) => withKeys(world, (keys) => list(world, keys, flags)));
  command
    .command('revoke')
    .description('Makes a key open nothing any more, from now on.')
    .argument('<id|name>', 'as `feed:keys list` shows it; a name must be that of one key only')
    .action((which: string) => withKeys(world, (keys) => revoke(world, keys, which)));
  return command;
}

type AddFlags = { name: string; scope: string[]; id?: string[] };
type NewKey = z.infer<typeof NewKeyJson>;

/** Keys in the data folder, or behind the server that holds it. */
type KeyDesk = {
  create(key: NewKey): Promise<CreatedKeyJson>;
  list(): Promise<ListedKeyJson[]>;
  revoke(id: string): Promise<unknown>;
};

function withKeys(
  world: OperatorWorld,
  work: (desk: KeyDesk) => Promise<void>,
  { needsFeed = true } = {},
): Promise<void> {
  return withData(world, {
    needsFeed,
    alone: ({ services }) => work(deskHere(services.keys)),
    running: (server) => work(deskOf(server)),
  });
}

function deskHere(keys: Keys): KeyDesk {
  return {
    create: (key) => keys.create(key, operator),
    list: async () => (await keys.list()).map(toListedKey),
    revoke: (id) => keys.revoke(id, operator),
  };
}

function deskOf(server: RunningServer): KeyDesk {
  return {
    create: (json) => readJson(server, 'api/v1/keys', CreatedKeyJson, { method: 'POST', json }),
    list: () => readJson(server, 'api/v1/keys', z.array(ListedKeyJson)),
    revoke: (id) => server.ask(`api/v1/keys/${encodeURIComponent(id)}`, { method: 'DELETE' }),
  };
}

async function add({ stdout, stderr }: OperatorWorld, desk: KeyDesk, flags: AddFlags): Promise<void> {
  const wanted = NewKeyJson.safeParse({ name: flags.name, scopes: flags.scope, ids: flags.id ?? [] });
  if (!wanted.success) {
    return fail('KEY_UNUSABLE', { problem: wanted.error.issues.map(({ message }) => message).join('; ') });
  }
  const { id, key } = await desk.create(wanted.data);
  const { name, scopes, ids } = wanted.data;
  const where = ids.length === 0 ? '' : ` for ${ids.join(', ')}`;
  stderr.write(`Key ${id} (${name}): ${scopes.join(', ')}${where}. It is not shown again.\n`);
  stdout.write(`${key}\n`);
}

async function list({ stdout }: OperatorWorld, desk: KeyDesk, { json }: { json?: true }): Promise<void> {
  const keys = await desk.list();
  if (json) {
    for (const key of keys) stdout.write(`${JSON.stringify(key)}\n`);
  } else {
    stdout.write(printTable(head, keys.map(rowOf)));
  }
}

const head = ['ID', 'NAME', 'SCOPES', 'IDS', 'CREATED', 'LAST USED', 'REVOKED'];

function rowOf({ id, name, scopes, ids, created, lastUsed, revoked }: ListedKeyJson): string[] {
  const globs = ids.length === 0 ? 'all' : ids.join(' ');
  return [id, name, scopes.join(' '), globs, created, lastUsed ?? 'never', revoked ?? '-'];
}

async function revoke({ stderr }: OperatorWorld, desk: KeyDesk, which: string): Promise<void> {
  const alive = (await desk.list()).filter(({ revoked }) => revoked === null);
  const named = alive.filter(({ id, name }) => id === which || name === which);
  const [key] = named.some(({ id }) => id === which) ? named.filter(({ id }) => id === which) : named;
  if (key === undefined) return fail('KEY_UNKNOWN', { which });
  if (named.length > 1 && key.id !== which) {
    throw new FeedError('KEY_AMBIGUOUS', { which, ids: named.map(({ id }) => id).join(', ') });
  }
  await desk.revoke(key.id);
  stderr.write(`Key ${key.id} (${key.name}) is revoked.\n`);
}
