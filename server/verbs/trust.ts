import { Command, Option } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { fail } from '../errors.ts';
import { NewPublisherJson, type PublisherJson, publisherScopes } from '../trust/publisher-json.ts';
import { printTerms } from './key-table.ts';
import { printTable } from './table.ts';
import { type TrustAdmin, withTrust } from './trust-admin.ts';

const help = `
A CI job then exchanges its OIDC token for a key of 15 minutes, so that no key is stored there: the release verbs do it by
themselves, everything else with POST /api/v1/token. What a token says is compared exactly, never as a pattern:

  feed:keys issuer add https://token.actions.githubusercontent.com
  feed:keys trust add --name tools --issuer https://token.actions.githubusercontent.com \\
    --subject repo:acme/tools:environment:release --claim repository_id=123456 --scope push:beta --id 'acme-*'

A publisher cannot be changed: remove it, which ends its keys, and add another.`;

/** `feed:keys trust`: whose tokens are exchanged for keys. */
export function createTrustCommand(invocation: Invocation): Command {
  const command = new Command('trust')
    .description('Trusted publishing: CI jobs that get a short-lived key for their OIDC token.')
    .addHelpText('after', help)
    .exitOverride();
  command
    .command('add')
    .description('Adds a trusted publisher.')
    .requiredOption('--name <name>', 'for people and for the log; its keys are named after it and the run')
    .requiredOption('--issuer <url>', 'who signs the tokens (the claim iss), exactly')
    .requiredOption('--subject <text>', 'whose tokens (the claim sub), exactly; never a pattern')
    .addOption(
      new Option('--scope <scope...>', 'what its keys may do; repeatable')
        .choices(publisherScopes)
        .makeOptionMandatory(),
    )
    .option('--audience <text>', 'whom the tokens are for (the claim aud), exactly; PUBLIC_URL by default')
    .option('--claim <name=value...>', 'further claims, exactly, such as repository_id=123456')
    .option('--id <glob...>', 'ids and tools that its keys are valid for, with * and ?; none means all')
    .option('--network <cidr...>', 'networks that tokens and keys may come from; none means all')
    .option('--owner <who>', 'who is responsible for it: a person or a team')
    .option('--expires <time>', 'when it ends: 2027-01-31T00:00:00Z, or from now: 365d')
    .option('--json', 'one JSON object')
    .action((flags: AddFlags) =>
      withTrust(invocation, (admin) => add(invocation, admin, flags), { needsFeed: false }),
    );
  command
    .command('list')
    .description('All trusted publishers, oldest first.')
    .option('--json', 'one JSON object per line')
    .action((flags: Json) => withTrust(invocation, (admin) => list(invocation, admin, flags)));
  command
    .command('remove')
    .description('Removes a trusted publisher: from now on its tokens and its keys are refused.')
    .argument('<id|name>', 'as `feed:keys trust list` shows it')
    .action((which: string) => withTrust(invocation, (admin) => remove(invocation, admin, which)));
  return command;
}

type Json = { json?: true };
type AddFlags = Json & {
  name: string;
  issuer: string;
  subject: string;
  scope: string[];
  audience?: string;
  claim?: string[];
  id?: string[];
  network?: string[];
  owner?: string;
  expires?: string;
};

async function add({ stdout, stderr }: Invocation, admin: TrustAdmin, flags: AddFlags): Promise<void> {
  const { scope: scopes, id: ids, network: networks, claim = [], json, ...rest } = flags;
  const wanted = NewPublisherJson.safeParse({ ...rest, scopes, ids, networks, claims: claimsOf(claim) });
  if (!wanted.success)
    return fail('PUBLISHER_UNUSABLE', {
      problem: wanted.error.issues.map(({ message }) => message).join('; '),
    });
  const { id } = await admin.add(wanted.data);
  const publisher = (await admin.list()).find((one) => one.id === id);
  if (json) stdout.write(`${JSON.stringify(publisher)}\n`);
  else stderr.write(`The publisher ${flags.name} (${id}) is added: ${describe(publisher)}.\n`);
  if (wanted.data.ids.length === 0 && scopes.some((scope) => scope.startsWith('push')))
    stderr.write(
      `Without --id its jobs may push every package: feed:keys trust remove ${id}, and add it again with --id, such as 'acme-*'.\n`,
    );
  const { issuer } = flags;
  if (!(await admin.listIssuers()).some(({ url }) => url === issuer))
    stderr.write(
      `The keys of its issuer are not known yet, so no token is taken: feed:keys issuer add ${issuer}\n`,
    );
}

/** @throws FeedError PUBLISHER_UNUSABLE */
function claimsOf(pairs: readonly string[]): Record<string, string> {
  const claims = new Map<string, string>();
  for (const pair of pairs) {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(pair) ?? [];
    if (name === undefined || name === '__proto__' || value === undefined || claims.has(name))
      return fail('PUBLISHER_UNUSABLE', {
        problem: `expected --claim NAME=VALUE, each name once, found ${JSON.stringify(pair)}`,
      });
    claims.set(name, value);
  }
  return Object.fromEntries(claims);
}

function describe(publisher: PublisherJson | undefined): string {
  if (publisher === undefined) return 'it is removed already';
  const { subject, claims, audience } = publisher;
  const further = Object.entries(claims).map(([name, value]) => `, ${name} ${value}`);
  return `${subject}${further.join('')} for ${audience} gets ${printTerms({ ...publisher, clients: [] })}`;
}

const head = [
  'ID',
  'NAME',
  'ISSUER',
  'SUBJECT',
  'CLAIMS',
  'AUDIENCE',
  'SCOPES',
  'IDS',
  'NETWORKS',
  'OWNER',
  'EXPIRES',
];

async function list({ stdout }: Invocation, admin: TrustAdmin, { json }: Json): Promise<void> {
  const publishers = await admin.list();
  if (json) for (const publisher of publishers) stdout.write(`${JSON.stringify(publisher)}\n`);
  else stdout.write(printTable(head, publishers.map(rowOf)));
}

function rowOf({
  id,
  name,
  issuer,
  subject,
  claims,
  audience,
  scopes,
  ids,
  networks,
  owner,
  expires,
}: PublisherJson) {
  const pairs = Object.entries(claims).map(([claim, value]) => `${claim}=${value}`);
  const lists = [scopes, ids, networks].map((values) => values.join(' ') || 'all');
  return [
    id,
    name,
    issuer,
    subject,
    pairs.join(' ') || '-',
    audience,
    ...lists,
    owner ?? '-',
    expires ?? 'never',
  ];
}

async function remove({ stderr }: Invocation, admin: TrustAdmin, which: string): Promise<void> {
  const all = await admin.list();
  const found =
    all.find(({ id }) => id === which) ??
    all.find(({ name }) => name === which) ??
    fail('PUBLISHER_UNKNOWN', { which });
  await admin.remove(found.id);
  stderr.write(`The publisher ${found.name} (${found.id}) is removed, and its keys are revoked.\n`);
}
