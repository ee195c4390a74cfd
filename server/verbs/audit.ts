import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { hiddenCharacters } from '../../formats/hidden-characters.ts';
import { parseNuGetVersion } from '../../formats/nuget-version.ts';
import type { Invocation } from '../../invocation.ts';
import type { AuditEntry } from '../audit/audit.ts';
import type { DownloadJson } from '../audit/download-json.ts';
import { toEntryJson } from '../audit/entry-json.ts';
import { verifyChain } from '../audit/verify.ts';
import { type Config, loadConfig } from '../config.ts';
import { fail } from '../errors.ts';
import { findServer, type ServerFile } from '../server-file.ts';
import { anchorOf, appendAnchor, verifyWithAnchors } from './audit-anchors.ts';
import { type FollowFlags, follow } from './audit-follow.ts';
import { type AuditLog, localAuditLog, remoteAuditLog } from './audit-log.ts';
import { printTable } from './table.ts';
import { withData } from './with-data.ts';

/** The verb `feed:audit`: what changed, whether the audit log is intact, and who has what. */
export function createCommand(invocation: Invocation): Command {
  const command = new Command('feed:audit')
    .description('Shows and checks the audit log, and who downloaded what; also while the server runs.')
    // Set before the subcommands are created, since they inherit it.
    .exitOverride();
  command
    .command('list', { isDefault: true })
    .description('Every change: who, what, when, from where. Oldest first.')
    .option('--since <date>', 'only from this date or time on, such as 2026-11-24', readDate)
    .option('--id <id>', 'only of this package id, tool, key id or git ref')
    .option('--json', 'one JSON object per line')
    .action((options: ListOptions) =>
      withAuditLog(invocation, (auditLog) => list(invocation, auditLog, options)),
    );
  command
    .command('verify')
    .description('Checks the chain of hashes; exit 1 at the first broken entry.')
    .option(
      '--head <hash>',
      'a head that was noted before: proves that nothing after it was cut off',
      readHash,
    )
    .option('--anchors <file>', 'what `anchor` wrote: proves that the log still contains each of them')
    .action((options: VerifyOptions) =>
      withAuditLog(invocation, (auditLog, address) => verify(invocation, auditLog, address, options)),
    );
  command
    .command('anchor')
    .description('Prints the state of the log, as one JSON line to keep on another machine.')
    .option(
      '--to <file>',
      'also append the line to this file: on a mount from another machine, or in a git working copy',
    )
    .action((options: { to?: string }) =>
      withAuditLog(invocation, (auditLog, { feed }) => anchor(invocation, auditLog, feed, options.to)),
    );
  command
    .command('follow')
    .description(
      'Writes entries, refused keys and refused pushes as JSON lines, and goes on until it is interrupted (exit 130); whether or not servers run, start or stop.',
    )
    .option('--after <number>', 'only entries with a larger number', readNumber)
    .option('--after-refusal <number>', 'the same for refusals, which have numbers of their own', readNumber)
    .option('--since <date>', 'only from this date or time on, such as 2026-11-24', readDate)
    .option('--once', 'ends when everything is written')
    .option('--state <file>', 'keeps the position between runs; overrides --after')
    .addHelpText('after', followHelp)
    .action((flags: FollowFlags) =>
      follow(invocation, {
        ...flags,
        ...(flags.state !== undefined && { state: resolve(invocation.cwd, flags.state) }),
      }),
    );
  command
    .command('downloads')
    .description('Lists everyone who downloaded a package or payload, newest first.')
    .argument('<id[@version]>', 'a package id or tool', readIdAndVersion)
    .option('--json', 'one JSON object per line')
    .action((what: IdAndVersion, options: { json?: true }) =>
      withAuditLog(invocation, (auditLog) => downloads(invocation, auditLog, what, options)),
    );
  return command;
}

const followHelp = `
A line is written at least once: after a crash those since the last state may come again, with the same numbers. Each of the two
logs, \`audit\` and \`refusals\`, comes in the order of its numbers. Equal refusals within seconds are one line with a count, written
up to 5 s late; they are bounded, and not chained.`;

type VerifyOptions = { head?: string; anchors?: string };
type ListOptions = { since?: Date; id?: string; json?: true };

function withAuditLog(
  invocation: Invocation,
  work: (auditLog: AuditLog, address: Address) => Promise<void>,
): Promise<void> {
  const config = loadConfig(invocation.env);
  // Before the data is opened, which removes what a crash has left.
  const address = addressOf(config, findServer(config.dataDir));
  return withData(invocation, {
    needsFeed: true,
    alone: ({ services }) => work(localAuditLog(services), address),
    running: (server) => work(remoteAuditLog(server), address),
  });
}

/** The address of the feed; `isSaid`: by somebody, and no guess from the settings of the verb. */
type Address = { readonly feed: string; readonly isSaid: boolean };

/** The running server knows best; its own settings need not be those of the verb. */
function addressOf({ publicUrl, host, port }: Config, server: ServerFile | undefined): Address {
  const said = server?.publicUrl ?? publicUrl ?? server?.url;
  return { feed: said ?? `http://${host}:${port}`, isSaid: said !== undefined };
}

async function list({ stdout }: Invocation, auditLog: AuditLog, options: ListOptions): Promise<void> {
  const { json, ...query } = options;
  for await (const entry of auditLog.entries(query)) {
    stdout.write(json ? `${JSON.stringify(toEntryJson(entry))}\n` : lineOf(entry));
  }
}

function lineOf({ number, at, change, by }: AuditEntry): string {
  const { kind, subject, version, file, digest, detail } = change;
  const what = [subject, version, file].filter((part) => part !== undefined).join(' ');
  const more = [detail, digest].filter((part) => part !== undefined).map((part) => `  ${part}`);
  const line = `${number}  ${at.toISOString()}  ${kind}: ${what}  by ${by.keyName} (${by.keyId}) from ${by.from}`;
  return `${`${line}${more.join('')}`.replace(hiddenCharacters, ' ')}\n`;
}

async function anchor(
  { stdout, cwd }: Invocation,
  auditLog: AuditLog,
  feed: string,
  to: string | undefined,
): Promise<void> {
  const made = await anchorOf(auditLog, feed);
  if (to !== undefined) await appendAnchor(resolve(cwd, to), made);
  stdout.write(`${JSON.stringify(made)}\n`);
}

async function verify(
  { stdout, cwd }: Invocation,
  auditLog: AuditLog,
  { feed, isSaid }: Address,
  { head: noted, anchors: file }: VerifyOptions,
): Promise<void> {
  const anchored =
    file === undefined
      ? undefined
      : await verifyWithAnchors(auditLog, isSaid ? feed : undefined, resolve(cwd, file));
  const { head, broken, notedAt } =
    anchored !== undefined && noted === undefined ? anchored : await verifyChain(auditLog.entries(), noted);
  if (broken !== undefined) {
    const at = broken.at === undefined ? '' : ` of ${broken.at.toISOString()}`;
    fail('AUDIT_BROKEN', { number: broken.number, at, problem: broken.problem, before: head.number });
  }
  stdout.write(`The audit log is intact: ${head.number} entries.\n`);
  if (anchored !== undefined) stdout.write(`It contains all anchors of the file: ${anchored.anchors}.\n`);
  if (notedAt !== undefined)
    stdout.write(`It contains the head that was noted, of entry ${notedAt}: ${noted}\n`);
  stdout.write(`Its head; keep a copy elsewhere: ${head.hash}\n`);
}

async function downloads(
  { stdout }: Invocation,
  auditLog: AuditLog,
  { id, version }: IdAndVersion,
  { json }: { json?: true },
): Promise<void> {
  const found = await auditLog.downloads(id, version);
  if (json) {
    for (const one of found) stdout.write(`${JSON.stringify(one)}\n`);
  } else if (found.length === 0) {
    stdout.write(
      `Nobody has downloaded ${version === undefined ? id : `${id}@${version}`} as far as this server remembers.\n`,
    );
  } else {
    stdout.write(printTable(head, found.map(rowOf)));
  }
}

const head = ['ID', 'VERSION', 'FILE', 'KEY', 'FROM', 'CLIENT', 'COUNT', 'FIRST', 'LAST'];

function rowOf({ id, version, file, keyName, from, client, count, first, last }: DownloadJson): string[] {
  return [id, version, file ?? '-', keyName ?? '-', from ?? '-', client ?? '-', String(count), first, last];
}

type IdAndVersion = { readonly id: string; readonly version: string | undefined };

function readIdAndVersion(text: string): IdAndVersion {
  const [id = '', version] = text.split('@', 2);
  if (id === '' || (version !== undefined && parseNuGetVersion(version) === undefined))
    throw new InvalidArgumentError('Expected ID or ID@VERSION, such as delve@1.22.0.');
  return { id, version };
}

function readNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected the number of an entry, 0 or more.');
  return Number(text);
}

function readDate(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('Expected a date such as 2026-11-24.');
  return date;
}

/** A carelessly copied half of a hash must not look like an audit log that was cut off. */
function readHash(text: string): string {
  const hash = text.trim().toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hash))
    throw new InvalidArgumentError('Expected the 64 digits of a head, as `feed:audit verify` prints it.');
  return hash;
}
