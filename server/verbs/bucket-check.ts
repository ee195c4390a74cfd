import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { withTempDir } from '../../formats/scoped.ts';
import type { Invocation } from '../../invocation.ts';
import { createGit } from '../bucket/git-backend.ts';
import { readHistory } from '../bucket/read-history.ts';
import { applyRules } from '../bucket/rules.ts';
import { fail } from '../errors.ts';
import { interruptible } from './interruptible.ts';

type Flags = { readonly since?: string; readonly json: boolean };

/** The verb `bucket:check`: checks a bucket at another git host against the server's push rules. */
export function createCommand(invocation: Invocation): Command {
  return new Command('bucket:check')
    .description('Checks the branches main and beta in a clone of a bucket against the push rules.')
    .argument('[dir]', 'the clone, bare or not', '.')
    .option('--since <commit>', 'check only what came after it; default: everything after the first commit')
    .option('--json', 'one JSON object a fault', false)
    .addHelpText('after', help)
    .action((dir: string, flags: Flags) => check(invocation, resolve(invocation.cwd, dir), flags));
}

const help = `
It uses no network; release:beta and release:promote check before a push that the payloads exist.
docs/ci/ has a job for GitHub and GitLab.`;

async function check({ env, stdout, stderr, signal }: Invocation, dir: string, flags: Flags): Promise<void> {
  await withTempDir(join(tmpdir(), 'go-win-tools-check-'), async (home) => {
    const git = { ...createGit(await gitDirOf(dir), home, env), signal };
    const push = await interruptible(signal, 'not all was looked at.', () => readHistory(git, flags.since));
    const faults = applyRules(push);
    for (const fault of faults) {
      if (flags.json) stdout.write(`${JSON.stringify(fault)}\n`);
      else stderr.write(`- ${fault.sentence} (${fault.rule})\n`);
    }
    if (faults.length > 0) fail('BUCKET_FAULTS', { count: faults.length });
    const commits = push.advances.map(({ channel, commits }) => `${commits.length} on ${channel}`);
    if (!flags.json)
      stdout.write(`All rules are followed: commits ${commits.join(', ')}; tags ${push.tags.length}.\n`);
  });
}

async function gitDirOf(dir: string): Promise<string> {
  for (const candidate of [join(dir, '.git'), dir]) {
    const isGit = await stat(join(candidate, 'HEAD')).then(
      () => true,
      () => false,
    );
    if (isGit) return candidate;
  }
  const cause = existsSync(dir) ? 'it is no git repository' : 'it is not there';
  return fail('BUCKET_MISSING', { dir, cause });
}
