import { resolve } from 'node:path';
import { Command } from 'commander';
import { asInterruption } from '../errors/ended.ts';
import { fail } from '../errors/release-error.ts';
import { forTerminal } from '../formats/for-terminal.ts';
import type { Invocation } from '../invocation.ts';
import { generatorConfigHelp } from '../manifest-gen/settings/config.ts';
import { withFeed } from '../manifest-gen/verbs/run/with-feed.ts';
import { type Created, create } from './create.ts';
import type { FileState } from './judge-file.ts';
import { openToolkit } from './open-toolkit.ts';
import { readRepository } from './repository.ts';

type Flags = {
  readonly tool?: readonly string[];
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
};

/** The verb `devbox:create` (contract section 11). */
export function createCommand(invocation: Invocation): Command {
  const { stdout, stderr, signal } = invocation;
  return new Command('devbox:create')
    .description(
      'Writes the repository that builds standard Go images and DevBoxes from this feed, or brings it up to date.',
    )
    .argument('<dir>', 'the folder of the repository')
    .option('--tool <tool...>', 'these tools; without: all tools of branch main')
    .option('--force', 'also replace files that were changed')
    .option('--dry-run', 'show what would be written, write nothing')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', help)
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .action((dir: string, flags: Flags) =>
      run(invocation, resolve(invocation.cwd, dir), flags).catch((error: unknown) => {
        throw asInterruption(error, signal, 'Files that are written stay');
      }),
    );
}

const help = `
The values come from the feed: its address, the versions and hashes of the tools on main, the probe. Running it again updates the
files that nobody changed; those that somebody changed are named (exit 1). To add a tool, add its line to devbox.yaml and run it again.

Examples:
  pnpm devbox:create ../devbox
  pnpm devbox:create ../devbox --tool delve --tool buf
  pnpm devbox:create ../devbox --dry-run

Every file and how to use it: docs/devbox/README.md.

${generatorConfigHelp()}`;

async function run(invocation: Invocation, dir: string, flags: Flags): Promise<void> {
  const { stdout, stderr } = invocation;
  const found = await readRepository(dir);
  const toolkit = openToolkit(invocation, found?.declaration.feed, {
    isQuiet: flags.json === true,
    isReadOnly: false,
  });
  const isDryRun = flags.dryRun === true;
  const created = await withFeed(toolkit, (toolkit) =>
    create(toolkit, found, {
      ...{ dir, tools: flags.tool ?? [], product: invocation.version },
      ...{ isForced: flags.force === true, isDryRun },
    }),
  );
  const isLeft = ({ state }: { readonly state: FileState }): boolean =>
    state === 'blocked' || (state === 'changed' && flags.force !== true);
  const changed = created.files.filter(isLeft).map(({ path }) => path);
  if (flags.json) stdout.write(`${JSON.stringify({ dir, ...created })}\n`);
  else {
    stdout.write(lines(created, { isDryRun, isForced: flags.force === true }));
    for (const sentence of created.missing) stderr.write(`warning: ${forTerminal(sentence)}\n`);
  }
  if (changed.length > 0) fail('DEVBOX_CHANGED', { dir, files: changed.join(', ') });
}

const words: Readonly<Record<FileState, readonly [done: string, planned: string]>> = {
  new: ['written', 'would be written'],
  update: ['updated', 'would be updated'],
  same: ['unchanged', 'unchanged'],
  changed: [
    'left alone: it is not as devbox:create wrote it',
    'left alone: it is not as devbox:create wrote it',
  ],
  blocked: ['left alone, since it is a link or behind one', 'left alone, since it is a link or behind one'],
};

function lines(
  { files }: Created,
  { isDryRun, isForced }: { readonly isDryRun: boolean; readonly isForced: boolean },
): string {
  const news = files.filter(({ state }) => state !== 'same');
  const width = Math.max(...news.map(({ path }) => path.length)) + 2;
  const same = files.length - news.length;
  const rest = same === 0 ? '' : `${same} files are as they should be.\n`;
  return `${news
    .map(({ path, state }) => {
      const [done, planned] = words[isForced && state === 'changed' ? 'update' : state];
      return `${path.padEnd(width)}${isDryRun ? planned : done}\n`;
    })
    .join('')}${rest}`;
}
