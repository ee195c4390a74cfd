import { type Argument, Command, type Option } from 'commander';
import { asInterruption } from '../../../errors/ended.ts';
import { ReleaseError } from '../../../errors/release-error.ts';
import type { Invocation } from '../../../invocation.ts';
import { openOutDir } from '../../../system/out.ts';
import type { SettingsUse } from '../../settings/config.ts';
import { type BrokenTool, requireWhole, type Tool, type ToolsFolder } from '../../tool-file/tools.ts';
import { addFlags, type FlagName, type ReleaseFlags } from '../flags.ts';
import { withSources } from './from-bundle.ts';
import { splitArg } from './request.ts';
import { endRun } from './run-each.ts';
import { createReport, createToolkit, readToolsOf, type VerbToolkit } from './toolkit.ts';
import { traceRun } from './trace-run.ts';

/** A verb that releases: what `--help` says of it, and what it does. */
export type Verb<Flags extends ReleaseFlags = ReleaseFlags> = {
  readonly name: string;
  readonly description: string;
  readonly argument: Argument;
  /** Of this verb alone. */
  readonly options?: readonly Option[];
  readonly flags: readonly FlagName[];
  readonly examples: readonly string[];
  /** The argument names no tools: all of them are read. */
  readonly isForAll?: boolean;
  /** It works without the tools' files. */
  readonly isWithoutTools?: boolean;
  /** The settings that its help shows, where those are neither all nor the feed's. */
  readonly settings?: SettingsUse;
  /** Nothing is made from the answers, so there are fewer retries. */
  readonly isReadOnly?: boolean;
  /** Before anything else is opened. @throws ReleaseError USAGE */
  readonly check?: (asked: Asked<Flags>) => void;
  /** Work that can fail for a tool ends with endRun, which is handed the `broken` ones too. */
  readonly run: (asked: Opened<Flags>, toolkit: VerbToolkit) => Promise<void>;
};

type Asked<Flags> = {
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly tools: readonly Tool[];
};

type Opened<Flags> = Asked<Flags> & {
  readonly invocation: Invocation;
  /** Tools with invalid files, which were reported. */
  readonly broken: readonly BrokenTool[];
  readonly outDir: string | undefined;
  /** The tools that the bundle of `--from` has; it replaces every source in the toolkit. */
  readonly bundled: readonly string[];
};

const noTools: ToolsFolder = { tools: [], broken: [], names: [] };

export function verb<Flags extends ReleaseFlags>(spec: Verb<Flags>): (invocation: Invocation) => Command {
  return (invocation) => {
    const command = new Command(spec.name).description(spec.description).addArgument(spec.argument);
    for (const option of spec.options ?? []) command.addOption(option);
    const settings = spec.settings ?? (spec.isWithoutTools ? 'feed' : 'all');
    addFlags(command, spec.flags, spec.examples, invocation, settings);
    return command.action((args: string | readonly string[] | undefined, flags: Flags) =>
      run(spec, [args ?? []].flat(), flags, invocation),
    );
  };
}

/**
 * Builds the toolkit and does the work with it and the tools that `args` name, or all; one sentence and one exit code for all of
 * them. What ends a verb as a whole is an event for machines too; main.ts tells people.
 */
async function run<Flags extends ReleaseFlags>(
  spec: Verb<Flags>,
  args: readonly string[],
  flags: Flags,
  invocation: Invocation,
): Promise<void> {
  const { cwd } = invocation;
  const report = createReport(invocation, flags);
  try {
    const { isReadOnly } = spec;
    const toolkit = createToolkit(invocation, report, { isReadOnly, maxWaitMs: flags.maxWait });
    const named = spec.isForAll ? [] : args.map((arg) => splitArg(arg).name);
    const folder = spec.isWithoutTools ? noTools : await readToolsOf(toolkit, named);
    // of those that are named, a bad file is the end; of all, it is one tool's failure among the others
    if (folder.tools.length === 0) requireWhole(folder);
    const { tools, broken: all } = folder;
    const end = all.find(({ tool }) => named.includes(tool));
    if (end !== undefined) throw end.error;
    const broken = named.length > 0 ? [] : all;
    for (const { tool, error } of broken) report.failed(tool, error);
    const asked = { args, flags, tools };
    spec.check?.(asked);
    const outDir = spec.flags.includes('out') ? await openOutDir(cwd, flags.out) : undefined;
    const from = spec.flags.includes('from') ? flags.from : undefined;
    const work = (): Promise<void> =>
      withSources(toolkit, { cwd, from }, (toolkit, bundled) =>
        spec.run({ ...asked, invocation, broken, outDir, bundled }, toolkit),
      );
    await (isReadOnly ? work() : traceRun(toolkit, spec.name, work));
    endRun({ outcomes: [], failures: [] }, broken);
  } catch (thrown) {
    const error = asInterruption(thrown, invocation.signal, 'Nothing was published');
    if (flags.json && error instanceof ReleaseError) report.failed('', error);
    throw error;
  }
}
