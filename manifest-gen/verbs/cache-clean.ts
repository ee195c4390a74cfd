import { Command } from 'commander';
import { columns, forTerminal } from '../../formats/for-terminal.ts';
import type { Invocation } from '../../invocation.ts';
import { type Cleaned, cleanCache } from '../../system/cache/clean.ts';
import { loadGeneratorConfig } from '../settings/config.ts';
import { addFlags, readTime } from './flags.ts';

type CleanFlags = {
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
};

export function createCommand(invocation: Invocation): Command {
  const command = new Command('cache:clean')
    .description(
      'Empties CACHE_DIR, the cache of downloads and builds. The feed and the bucket keep everything; the next run downloads and builds again what it needs.',
    )
    .option(
      '--older-than <time>',
      'only what was not used for this time, such as 12h or 30d',
      readTime('30d'),
    )
    .option('--dry-run', 'show what would be removed, remove nothing');
  addFlags(command, ['json', 'quiet'], examples, invocation, 'cache');
  return command.action(async ({ olderThan, dryRun: isDryRun = false, json, quiet }: CleanFlags) => {
    const { env } = invocation;
    const { cacheDir, dataDir } = loadGeneratorConfig(invocation);
    const cleaned = await cleanCache({
      dir: cacheDir,
      usedBeforeMs: olderThan === undefined ? undefined : Date.now() - olderThan,
      isDryRun,
      precious: [dataDir, invocation.productDir, ...[env.HOME ?? [], env.USERPROFILE ?? []].flat()],
    });
    if (json) invocation.stdout.write(`${JSON.stringify({ event: 'cleaned', isDryRun, ...cleaned })}\n`);
    else if (!quiet) invocation.stdout.write(`${forTerminal(inWords(cleaned, isDryRun))}\n`);
  });
}

function inWords({ dir, removed, kept, parts }: Cleaned, isDryRun: boolean): string {
  if (removed.items + kept.items === 0) return `The cache ${dir} is empty.`;
  const rows = parts.map((one) => [one.part, inMegabytes(one.removed.bytes), inMegabytes(one.kept.bytes)]);
  const table = columns([['part', isDryRun ? 'would go' : 'removed', 'kept'], ...rows]);
  const verb = isDryRun ? 'Would free' : 'Freed';
  return `${table}\n${verb} ${inMegabytes(removed.bytes)} in ${dir}, and kept ${inMegabytes(kept.bytes)}.`;
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const examples = [
  'cache:clean                     everything',
  'cache:clean --older-than 30d    what no run has used for 30 days',
  'cache:clean --dry-run           how much it would free',
];
