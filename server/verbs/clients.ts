import { Command, Option } from 'commander';
import { compareVersionTexts } from '../../formats/nuget-version.ts';
import type { Invocation } from '../../invocation.ts';
import { operator } from '../audit/audit.ts';
import { readClientId } from '../clients/client-id.ts';
import { fail } from '../errors.ts';
import { ClientJson, ClientsPage } from '../rollout/client-json.ts';
import { explanationOf } from '../rollout/explanation.ts';
import { explainClient, readClients } from '../rollout/read-clients.ts';
import { readJson } from './ask-server.ts';
import { type Release, readRelease } from './release-argument.ts';
import { printTable } from './table.ts';
import { withData } from './with-data.ts';

/** The verb `feed:clients`: which machines ask under their own addresses, and what they are offered. */
export function createCommand(invocation: Invocation): Command {
  const command = new Command('feed:clients')
    .description(
      'Shows the machines that have per-client addresses, and why each is offered what it is; also while the server runs.',
    )
    // Before the subcommands are made, since they inherit it.
    .exitOverride();
  command
    .command('list')
    .description('All machines that were seen, by id.')
    .addOption(
      new Option(
        '--given <tool@version>',
        'only those that a rollout has given this version, and when; until it is completed, or main offers something higher than what it gave',
      ).argParser(readRelease),
    )
    .option('--json', 'one JSON object per line')
    .action((flags: ListFlags) => list(invocation, flags));
  command
    .command('explain')
    .description(
      'Which versions a machine is offered, and why, even if it was never seen. Asking admits it to no rollout.',
    )
    .argument('<id>', 'its client id, by default the name of the computer')
    .argument('[tool]', 'this tool alone')
    .option('--json', 'one JSON object')
    .action((id: string, tool: string | undefined, flags: Json) => explain(invocation, id, tool, flags));
  command
    .command('forget')
    .description('Forgets a machine that is gone. One that is in an open rollout stays.')
    .argument('<id>', 'as `feed:clients list` shows it')
    .action((id: string) => forget(invocation, id));
  return command;
}

type Json = { json?: true };
type ListFlags = Json & { given?: Release };

const pageSize = 500;

async function list(invocation: Invocation, { json, given }: ListFlags): Promise<void> {
  const found: ClientJson[] = [];
  for (let after: string | undefined; ; ) {
    const page = await readPage(invocation, after);
    found.push(...page.clients.filter((client) => given === undefined || wayOf(client, given) !== undefined));
    if (page.next === null) break;
    after = page.next;
  }
  if (given !== undefined && found.length === 0) {
    const { id, version } = given;
    invocation.stderr.write(
      `No open, superseded or rolled-back rollout has given ${id} ${version} to a machine.\n`,
    );
  }
  if (json) {
    for (const client of found) invocation.stdout.write(`${JSON.stringify(client)}\n`);
    return;
  }
  const rows = found.map(({ id, firstSeen = '', lastSeen = '', rings, offers, downloaded }) => [
    ...[id, rings.join(' '), firstSeen, lastSeen],
    offers.map(({ tool, version }) => `${tool} ${version ?? 'none'}`).join(', '),
    downloaded.map(({ packageId, version }) => `${packageId} ${version}`).join(', '),
  ]);
  const heads = ['CLIENT', 'RINGS', 'FIRST SEEN', 'LAST SEEN', 'OFFERED', 'DOWNLOADED'];
  if (given === undefined) return void invocation.stdout.write(printTable(heads, rows));
  const ways = found.map((client) => wayOf(client, given));
  const more = ways.map((way) => [way?.admittedAt ?? '', way?.receivedAt ?? 'not received']);
  const wider = rows.map((row, at) => [...row, ...(more[at] ?? [])]);
  invocation.stdout.write(printTable([...heads, 'ADMITTED', 'RECEIVED'], wider));
}

/** How a machine came to a version by a rollout, however the version is spelled. */
function wayOf(
  { rollouts }: ClientJson,
  { id, version }: Release,
): ClientJson['rollouts'][number] | undefined {
  return rollouts.find(
    (one) =>
      one.tool === id && one.admittedAt !== undefined && compareVersionTexts(one.version, version) === 0,
  );
}

function readPage(invocation: Invocation, after: string | undefined): Promise<ClientsPage> {
  const query = new URLSearchParams({ limit: String(pageSize), ...(after === undefined ? {} : { after }) });
  return withData(invocation, {
    needsFeed: true,
    alone: ({ services }) => readClients(services, { after, limit: pageSize }),
    running: (server) => readJson(server, `api/v1/clients?${query}`, ClientsPage),
  });
}

async function explain(
  invocation: Invocation,
  written: string,
  tool: string | undefined,
  { json }: Json,
): Promise<void> {
  const id = idOf(written);
  const query = tool === undefined ? '' : `?${new URLSearchParams({ tool })}`;
  const client = await withData(invocation, {
    needsFeed: true,
    alone: ({ services }) => explainClient(services, id, tool),
    running: (server) => readJson(server, `api/v1/clients/${encodeURIComponent(id)}${query}`, ClientJson),
  });
  invocation.stdout.write(json ? `${JSON.stringify(client)}\n` : `${explanationOf(client).join('\n')}\n`);
}

async function forget(invocation: Invocation, written: string): Promise<void> {
  const id = idOf(written);
  await withData<unknown>(invocation, {
    needsFeed: true,
    async alone({ services }) {
      const outcome = await services.clients.forget(id, operator);
      if (outcome === 'missing') fail('CLIENT_UNSEEN', { id });
      if (outcome === 'admitted') fail('CLIENT_ADMITTED', { id });
    },
    running: ({ ask }) => ask(`api/v1/clients/${encodeURIComponent(id)}`, { method: 'DELETE' }),
  });
  invocation.stderr.write(`The client ${id} is forgotten.\n`);
}

function idOf(written: string): string {
  return readClientId(written) ?? fail('CLIENT_INVALID', { id: written.slice(0, 100) });
}
