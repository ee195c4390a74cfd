import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { type Config, loadConfig } from '../config.ts';
import { fail } from '../errors.ts';
import { openReading } from '../reading.ts';
import { type Collected, collectOrphans } from './collect-orphans.ts';
import { asSpaceError } from './disk-space.ts';
import { interruptible } from './interruptible.ts';
import { printBytes, printCount } from './print.ts';
import { advice, checkAll, type Fault, type Findings } from './verify-checks.ts';

type Flags = { readonly keepOrphans: boolean; readonly json: boolean };

/** The verb `feed:verify`: checks that every byte is still what it was. */
export function createCommand(invocation: Invocation): Command {
  return new Command('feed:verify')
    .description('Reads every stored byte again and checks database and bucket, also while the server runs.')
    .option('--keep-orphans', 'list blobs that belong to no package, but keep them', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', help)
    .action((flags: Flags) => verify(invocation, flags));
}

const help = `
Checked: the SHA-256 and SHA-512 of every blob; the database (integrity, references, latest flags); the bucket (git fsck)
and that the payloads of its manifests exist.
A push that was killed can leave blobs that no package or payload uses. They are harmless; those older than a day are
removed when everything else is in order and nothing else uses the folder. In an object store that servers share, the servers remove them.`;

async function verify(invocation: Invocation, { keepOrphans, json }: Flags): Promise<void> {
  const config = loadConfig(invocation.env);
  const { stdout, stderr, signal } = invocation;
  const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-verify-'));
  try {
    const found = await interruptible(signal, 'not all was looked at; nothing was changed.', () =>
      look(invocation, config, dir),
    );
    const collected = await collect(config, found, keepOrphans, dir);
    stdout.write(json ? `${JSON.stringify({ ...found, orphans: collected })}\n` : told(found, collected));
    for (const fault of json ? [] : found.faults) stderr.write(lineOf(fault));
    if (found.faults.length > 0) fail('VERIFY_FAULTS', { count: found.faults.length });
  } catch (error) {
    // The copy of the database needs space in the system's temporary folder.
    throw asSpaceError(error, dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** If rows or manifests were lost, a blob without a row may belong to them. */
async function collect(
  { dataDir, databaseUrl }: Config,
  { orphans, faults }: Findings,
  keepOrphans: boolean,
  dir: string,
): Promise<Collected> {
  if (keepOrphans) return { removed: [], kept: orphans, because: undefined };
  if (faults.length > 0)
    return { removed: [], kept: orphans, because: 'something is damaged; repair that first' };
  if (databaseUrl !== undefined && orphans.length > 0)
    return { removed: [], kept: orphans, because: 'the servers remove them after seven days' };
  return collectOrphans(dataDir, orphans, new Date(), join(dir, 'now.db'));
}

async function look(invocation: Invocation, config: Config, dir: string): Promise<Findings> {
  const reading = await openReading(config, invocation.env);
  try {
    return await checkAll(invocation, reading, dir);
  } finally {
    await reading.close();
  }
}

function told({ packages, payloads, faults }: Findings, { removed, kept, because }: Collected): string {
  const lines = [
    `${printCount(packages, 'package')} and ${printCount(payloads, 'payload')} looked at: ${faults.length === 0 ? 'all is well' : printCount(faults.length, 'fault')}.`,
  ];
  if (removed.length > 0)
    lines.push(`Removed ${printCount(removed.length, 'blob')} that nothing named (${sum(removed)}).`);
  if (kept.length > 0)
    lines.push(
      `Kept ${printCount(kept.length, 'blob')} that nothing names (${sum(kept)})${because === undefined ? '' : `: ${because}`}.`,
    );
  return `${lines.join('\n')}\n`;
}

function sum(blobs: readonly { readonly sizeBytes: number }[]): string {
  return printBytes(blobs.reduce((total, { sizeBytes }) => total + sizeBytes, 0));
}

function lineOf({ kind, subject, problem }: Fault): string {
  return `${subject}: ${problem}\n  ${advice[kind]}\n`;
}
