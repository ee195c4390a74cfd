import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { readDuration } from '../../formats/duration.ts';
import { parseNuGetVersion } from '../../formats/nuget-version.ts';
import { type SourceKind, sourceKinds } from '../../formats/release-record.ts';
import type { Invocation } from '../../invocation.ts';
import { maxReasonLength } from '../published/bucket/withdrawal-note.ts';
import { generatorConfigHelp, type SettingsUse } from '../settings/config.ts';

/** Flags of the release verbs (contract section 1). */
export type ReleaseFlags = {
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly source?: readonly SourceKind[];
  readonly from?: string;
  /** Milliseconds. */
  readonly maxWait?: number;
  readonly now?: boolean;
  readonly skipVerify?: boolean;
  readonly reason?: string;
  readonly to?: string;
  readonly correct?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
};

const options = {
  dryRun: new Option('--dry-run', 'do everything on this machine, publish nothing'),
  out: new Option('--out <dir>', 'keep TOOL.VERSION.nupkg, TOOL.json and TOOL.VERSION.release.json there'),
  source: new Option(
    '--source <kind[,kind]>',
    `only these sources, in this order: ${sourceKinds.join(', ')}`,
  ).argParser(readSources),
  from: new Option('--from <bundle>', 'use a file of bundle:create instead of sources on the network'),
  maxWait: new Option(
    '--max-wait <time>',
    'how long to wait for a forge whose rate limit is used up, such as 90s or 10m (default: 60s); longer is exit 4',
  ).argParser(readTime('90s')),
  now: new Option('--now', "promote a beta that is younger than the tool file's minAge; needs --reason"),
  skipVerify: new Option(
    '--skip-verify',
    'do not repeat the evidence; compare only what needs no upstream. Needs --reason, and is audited',
  ),
  reason: new Option('--reason <text>', 'why, for the commit and the audit log').argParser(readReason),
  to: new Option(
    '--to <version>',
    'the good version to go back to, from the feed or upstream; default: the newest listed stable one before it',
  ).argParser(readVersion),
  correct: new Option('--correct', 'release a withdrawn version again, as the next beta or correction'),
  json: new Option('--json', 'one JSON object per line on stdout, nothing else'),
  quiet: new Option('--quiet', 'warnings and failures only'),
} as const;

/** The argument of verbs that take releases from upstream. */
export const upstreamReleases = new Argument(
  '[tool[@version]...]',
  'no tool: all tools; no version: the newest stable one that the tool file allows',
);

export type FlagName = keyof typeof options;

/** Adds the flags, the examples and the settings, and keeps the output where the caller wants it. */
export function addFlags(
  command: Command,
  flags: readonly FlagName[],
  examples: readonly string[],
  { stdout, stderr }: Pick<Invocation, 'stdout' | 'stderr'>,
  use: SettingsUse = 'all',
): Command {
  for (const flag of flags) command.addOption(options[flag]);
  const lines = ['', 'Examples:', ...examples.map((line) => `  pnpm ${line}`), '', generatorConfigHelp(use)];
  return command.addHelpText('after', lines.join('\n')).configureOutput({
    writeOut: (line) => void stdout.write(line),
    writeErr: (line) => void stderr.write(line),
  });
}

/** Reads milliseconds. */
export function readTime(example: string): (text: string) => number {
  const expected = `A time is a number and s, m, h or d, such as ${example}.`;
  return (text) => {
    const ms = readDuration(text);
    if (ms === undefined) throw new InvalidArgumentError(expected);
    return ms;
  };
}

/** Without the v that a tag may have. */
function readVersion(text: string): string {
  const version = text.replace(/^v(?=\d)/, '');
  if (parseNuGetVersion(version) === undefined)
    throw new InvalidArgumentError('A version is three numbers, such as 1.22.0.');
  return version;
}

/** One line, since it is part of a commit and of an entry of the audit log. */
function readReason(text: string): string {
  const reason = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  if (reason === '') throw new InvalidArgumentError('It is empty.');
  if (reason.length > maxReasonLength)
    throw new InvalidArgumentError(
      `It has ${reason.length} characters; at most ${maxReasonLength} are allowed.`,
    );
  return reason;
}

function readSources(text: string): readonly SourceKind[] {
  const names = text.split(',').map((name) => name.trim());
  const kinds = sourceKinds.filter((kind) => names.includes(kind));
  if (kinds.length < new Set(names).size) {
    throw new InvalidArgumentError(`Sources are ${sourceKinds.join(', ')}.`);
  }
  return kinds.sort((a, b) => names.indexOf(a) - names.indexOf(b));
}
