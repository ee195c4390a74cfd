import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { fileReason } from '../../formats/file-reason.ts';
import type { Invocation } from '../../invocation.ts';
import { fail } from '../errors.ts';
import { type IssuerJson, IssuerUrl } from '../trust/issuer-json.ts';
import { fetchKeySet } from './fetch-key-set.ts';
import { printTable } from './table.ts';
import { type TrustAdmin, withTrust } from './trust-admin.ts';

/** `feed:keys issuer`: whose signatures on tokens count. The server itself asks no issuer; these verbs do. */
export function createIssuerCommand(invocation: Invocation): Command {
  const command = new Command('issuer')
    .description(
      'The issuers of OIDC tokens, and their public keys, which the server does not fetch by itself.',
    )
    .exitOverride();
  command
    .command('add')
    .description('Stores the public keys of an issuer and replaces earlier ones.')
    .argument('<url>', 'exactly as its tokens name it, such as https://token.actions.githubusercontent.com')
    .option(
      '--jwks <file>',
      'its keys (a JWK Set), where this machine cannot reach it; otherwise they are fetched',
    )
    .action((url: string, { jwks }: { jwks?: string }) =>
      withTrust(invocation, (admin) => add(invocation, admin, url, jwks), { needsFeed: false }),
    );
  command
    .command('refresh')
    .description('Fetches the keys of issuers again; for a nightly job. Those that came from a file stay.')
    .argument('[url]', 'only this issuer')
    .action((url: string | undefined) => withTrust(invocation, (admin) => refresh(invocation, admin, url)));
  command
    .command('list')
    .description('All issuers, the ids of their keys, and how old they are.')
    .option('--json', 'one JSON object per line')
    .action((flags: { json?: true }) => withTrust(invocation, (admin) => list(invocation, admin, flags)));
  command
    .command('remove')
    .description(
      'Forgets an issuer: from now on its tokens, and the keys that were made for them, are refused.',
    )
    .argument('<url>', 'as `feed:keys issuer list` shows it')
    .action((url: string) => withTrust(invocation, (admin) => remove(invocation, admin, url)));
  return command;
}

async function add(
  invocation: Invocation,
  admin: TrustAdmin,
  issuer: string,
  file: string | undefined,
): Promise<void> {
  const url = IssuerUrl.safeParse(issuer);
  if (!url.success)
    return fail('ISSUER_UNUSABLE', { problem: url.error.issues.map(({ message }) => message).join('; ') });
  const found = file === undefined ? await fetchKeySet(invocation, issuer) : await readKeys(invocation, file);
  await take(invocation, admin, { url: issuer, ...found });
}

async function readKeys({ cwd }: Invocation, file: string) {
  try {
    return { keys: await readFile(resolve(cwd, file), 'utf8'), source: `the file ${file}` };
  } catch (error) {
    return fail('ISSUER_FILE', { file, cause: fileReason(error) });
  }
}

async function take(
  { stderr }: Invocation,
  admin: TrustAdmin,
  issuer: { readonly url: string; readonly keys: string; readonly source: string },
): Promise<void> {
  const { keys, skipped } = await admin.setIssuer(issuer);
  stderr.write(`The issuer ${issuer.url} has the keys ${keys.join(', ')}, from ${issuer.source}.\n`);
  for (const reason of skipped) stderr.write(`Not used is ${reason}.\n`);
}

/** Refreshes every issuer that it can, and only then reports the first failure. */
async function refresh(invocation: Invocation, admin: TrustAdmin, only: string | undefined): Promise<void> {
  const known = await admin.listIssuers();
  const wanted = known.filter(({ url }) => only === undefined || url === only);
  if (only !== undefined && wanted.length === 0) fail('ISSUER_UNKNOWN', { issuer: only });
  const failures: unknown[] = [];
  for (const { url, source } of wanted) {
    if (only === undefined && source.startsWith('the file ')) {
      invocation.stderr.write(`The keys of ${url} came from ${source}, and stay.\n`);
      continue;
    }
    try {
      await take(invocation, admin, { url, ...(await fetchKeySet(invocation, url)) });
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function list({ stdout }: Invocation, admin: TrustAdmin, { json }: { json?: true }): Promise<void> {
  const issuers = await admin.listIssuers();
  if (json) for (const issuer of issuers) stdout.write(`${JSON.stringify(issuer)}\n`);
  else
    stdout.write(
      printTable(
        ['ISSUER', 'KEYS', 'SOURCE', 'FETCHED', 'AGE'],
        issuers.map((issuer) => rowOf(issuer, new Date())),
      ),
    );
}

function rowOf({ url, keys, source, fetched }: IssuerJson, now: Date): string[] {
  const hours = Math.floor((now.getTime() - Date.parse(fetched)) / 3_600_000);
  const age = hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
  return [url, keys.map(({ kid }) => kid).join(' '), source, fetched, age];
}

async function remove({ stderr }: Invocation, admin: TrustAdmin, issuer: string): Promise<void> {
  const isKnown = (await admin.listIssuers()).some(({ url }) => url === issuer);
  if (!isKnown) fail('ISSUER_UNKNOWN', { issuer });
  await admin.removeIssuer(issuer);
  stderr.write(`The issuer ${issuer} is forgotten, and keys that were made for its tokens are revoked.\n`);
}
