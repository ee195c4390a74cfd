import { Command, Option } from 'commander';
import type * as z from 'zod';
import type { Invocation } from '../../invocation.ts';
import { fail } from '../errors.ts';
import { scopes } from '../keys/api-keys.ts';
import { type ListedKeyJson, NewKeyJson, RotationJson } from '../keys/key-json.ts';
import { createIssuerCommand } from './issuers.ts';
import { type KeyAdmin, withKeys } from './key-admin.ts';
import { describeExpiring, describeHidden, isShown, printKeys, printTerms } from './key-table.ts';
import { createTrustCommand } from './trust.ts';

/** The verb `feed:keys`: manages API keys. */
export function createCommand(invocation: Invocation): Command {
  const command = new Command('feed:keys')
    .description(
      'Makes, lists, rotates and revokes keys, and lets CI jobs publish without one; also while the server runs.',
    )
    // Set before the subcommands are created, since they inherit it.
    .exitOverride();
  command
    .command('add')
    .description('Creates a key and prints it, once, as the only line on stdout.')
    .requiredOption('--name <name>', 'for people and for the log, such as the pipeline that uses it')
    .addOption(
      new Option('--scope <scope...>', 'what it may do; repeatable').choices(scopes).makeOptionMandatory(),
    )
    .option('--id <glob...>', 'ids and tools it is valid for, with * and ?; none means all')
    .option('--network <cidr...>', 'networks it may be used from, such as 10.0.0.0/8; none means all')
    .option(
      '--client <glob...>',
      'clients whose addresses (/c/ID) it may read where READ_AUTH is set; none means all',
    )
    .option('--owner <who>', 'who is responsible for it: a person or a team')
    .option('--expires <time>', 'when it ends: 2027-01-31T00:00:00Z, or from now: 90d')
    .option('--json', 'one JSON object, the key in it, instead of the bare key')
    // The first key may be created before the first start.
    .action((flags: AddFlags) =>
      withKeys(invocation, (keys) => add(invocation, keys, flags), { needsFeed: false }),
    );
  command
    .command('list')
    .description(
      'All keys, revoked ones too, oldest first, and what is about to expire. The keys themselves are not shown: only their hash is kept.',
    )
    .option('--all', 'also expired keys of CI jobs, which --json always has')
    .option('--json', 'one JSON object per line')
    .action((flags: ListFlags) => withKeys(invocation, (keys) => list(invocation, keys, flags)));
  command
    .command('rotate')
    .description(
      'Gives a key a new secret and prints it, once, as the only line on stdout. Name, scopes, limits and history stay; the old secret ends at once, or after --overlap.',
    )
    .argument('<id|name>', 'as `feed:keys list` shows it; a name must be that of one key only')
    .option('--overlap <time>', 'how long the old secret still works beside the new one, such as 1d')
    .option('--expires <time|never>', 'a new expiry for the key; by default it keeps its own')
    .option('--json', 'one JSON object, the key in it, instead of the bare key')
    .action((which: string, flags: RotateFlags) =>
      withKeys(invocation, (keys) => rotate(invocation, keys, which, flags)),
    );
  command
    .command('revoke')
    .description('Revokes a key: from now on the server refuses it.')
    .argument('<id|name>', 'as `feed:keys list` shows it; a name must be that of one key only')
    .option('--json', 'one JSON object')
    .action((which: string, flags: Json) =>
      withKeys(invocation, (keys) => revoke(invocation, keys, which, flags)),
    );
  command.addCommand(createTrustCommand(invocation));
  command.addCommand(createIssuerCommand(invocation));
  return command;
}

type Json = { json?: true };
type ListFlags = Json & { all?: true };
type AddFlags = Json & {
  name: string;
  scope: string[];
  id?: string[];
  network?: string[];
  client?: string[];
  owner?: string;
  expires?: string;
};
type RotateFlags = Json & { overlap?: string; expires?: string };

async function add(invocation: Invocation, admin: KeyAdmin, flags: AddFlags): Promise<void> {
  const { name, scope, id: ids, network: networks, client: clients, owner, expires } = flags;
  const wanted = read(NewKeyJson, { name, scopes: scope, ids, networks, clients, owner, expires });
  const made = await admin.create(wanted);
  const key = (await admin.list()).find(({ id }) => id === made.id);
  invocation.stderr.write(
    `Key ${made.id} (${wanted.name}): ${printTerms(key ?? wanted)}. It is not shown again.\n`,
  );
  printSecret(invocation, flags, { name: wanted.name, ...made });
}

async function list(
  { stdout, stderr }: Invocation,
  admin: KeyAdmin,
  { json, all }: ListFlags,
): Promise<void> {
  const keys = await admin.list();
  if (json) {
    for (const key of keys) stdout.write(`${JSON.stringify(key)}\n`);
    return;
  }
  const shown = all ? keys : keys.filter(isShown);
  stdout.write(printKeys(shown, new Date()));
  stderr.write(describeHidden(keys.length - shown.length));
  stderr.write(describeExpiring(keys, new Date()));
}

async function rotate(
  invocation: Invocation,
  admin: KeyAdmin,
  which: string,
  flags: RotateFlags,
): Promise<void> {
  const { overlap, expires } = flags;
  const rotation = read(RotationJson, { overlap, expires: expires === 'never' ? null : expires });
  const { id, name } = await findOne(admin, which);
  const made = await admin.rotate(id, rotation);
  const end =
    overlap === undefined ? 'ended' : `ends ${/^\d+[smhd]$/.test(overlap) ? 'in' : 'at'} ${overlap}`;
  invocation.stderr.write(
    `Key ${id} (${name}) has a new secret, which is not shown again. The old one ${end}.\n`,
  );
  printSecret(invocation, flags, { name, ...made });
}

async function revoke(
  { stdout, stderr }: Invocation,
  admin: KeyAdmin,
  which: string,
  { json }: Json,
): Promise<void> {
  const { id, name } = await findOne(admin, which);
  await admin.revoke(id);
  stderr.write(`Key ${id} (${name}) is revoked.\n`);
  if (json) stdout.write(`${JSON.stringify({ id, name, state: 'revoked' })}\n`);
}

function printSecret(
  { stdout }: Invocation,
  { json }: Json,
  made: { readonly id: string; readonly name: string; readonly key: string },
): void {
  stdout.write(json ? `${JSON.stringify(made)}\n` : `${made.key}\n`);
}

/** @throws FeedError KEY_UNUSABLE */
function read<T extends z.ZodType>(schema: T, flags: unknown): z.infer<T> {
  const wanted = schema.safeParse(flags);
  return wanted.success
    ? wanted.data
    : fail('KEY_UNUSABLE', { problem: wanted.error.issues.map(({ message }) => message).join('; ') });
}

/** The key with this id that is not revoked, or else the only one with this name. @throws FeedError KEY_UNKNOWN, KEY_AMBIGUOUS */
async function findOne(admin: KeyAdmin, which: string): Promise<ListedKeyJson> {
  const alive = (await admin.list()).filter(({ revoked }) => revoked === null);
  const byId = alive.find(({ id }) => id === which);
  const named = alive.filter(({ name }) => name === which);
  const key = byId ?? named[0] ?? fail('KEY_UNKNOWN', { which });
  if (byId === undefined && named.length > 1) {
    fail('KEY_AMBIGUOUS', { which, ids: named.map(({ id }) => id).join(', ') });
  }
  return key;
}
