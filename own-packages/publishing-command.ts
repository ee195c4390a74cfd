import { type Command, Option } from 'commander';
import { asInterruption } from '../errors/ended.ts';
import type { Invocation } from '../invocation.ts';
import type { OwnChannel } from './next-version.ts';

export type PublishingFlags = {
  readonly out?: string;
  readonly publish?: OwnChannel;
  readonly dryRun?: boolean;
};

/** What the verbs of this product's packages share: `--publish`, `--dry-run`, and an interruption that says what stays. */
export function publishingCommand<Flags extends PublishingFlags>(
  command: Command,
  { stdout, stderr, signal }: Invocation,
  { publishes, help }: { readonly publishes: string; readonly help: string },
  run: (flags: Flags) => Promise<void>,
): Command {
  return command
    .addOption(new Option('--publish <channel>', publishes).choices(['beta', 'main']))
    .option('--dry-run', 'with --publish: show which version it would be, publish nothing')
    .addHelpText('after', help)
    .configureOutput({
      writeOut: (line) => void stdout.write(line),
      writeErr: (line) => void stderr.write(line),
    })
    .action((flags: Flags) =>
      run(flags).catch((error: unknown) => {
        throw asInterruption(error, signal, 'What is written or published stays');
      }),
    );
}
