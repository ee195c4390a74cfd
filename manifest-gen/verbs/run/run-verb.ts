import type { Invocation } from '../../../invocation.ts';
import { ReleaseError } from '../../errors.ts';
import { keepMemorySmall } from '../../system/memory.ts';
import { type BrokenTool, requireWhole, type Tool } from '../../tool-file/tools.ts';
import type { ReleaseFlags } from '../flags.ts';
import { toolOf } from './request.ts';
import { endRun } from './run-each.ts';
import {
  createReport,
  createToolkit,
  readToolsOf,
  type ToolkitOptions,
  type VerbToolkit,
} from './toolkit.ts';

/**
 * Builds the toolkit and does the work with it and the tools that `args` name, or all. Work that can fail ends with endRun, which is
 * handed the `broken` ones too: one sentence and one exit code for all. What ends a verb as a whole is an event for
 * machines too; main.ts tells people.
 */
export async function runVerb(
  invocation: Invocation,
  flags: ReleaseFlags,
  args: readonly string[],
  work: (toolkit: VerbToolkit, tools: readonly Tool[], broken: readonly BrokenTool[]) => Promise<void>,
  choice: Pick<ToolkitOptions, 'isReadOnly'> = {},
): Promise<void> {
  keepMemorySmall();
  const report = createReport(invocation, flags);
  try {
    const toolkit = createToolkit(invocation, report, { ...choice, maxWaitMs: flags.maxWait });
    const named = args.map(toolOf);
    const folder = await readToolsOf(toolkit, named);
    // of those that are named, a bad file is the end; of all, it is one tool's failure among the others
    if (folder.tools.length === 0) requireWhole(folder);
    const { tools, broken: all } = folder;
    const end = all.find(({ tool }) => named.includes(tool));
    if (end !== undefined) throw end.error;
    const broken = named.length > 0 ? [] : all;
    for (const { tool, error } of broken) report.failed(tool, error);
    await work(toolkit, tools, broken);
    endRun({ outcomes: [], failures: [] }, broken);
  } catch (thrown) {
    const error = asInterruption(thrown, invocation.signal, 'Nothing was published');
    if (flags.json && error instanceof ReleaseError) report.failed('', error);
    throw error;
  }
}

/**
 * Work that Ctrl-C ends fails like an unreachable host: returns the error, or the interruption that caused it.
 * @param state what is done and not done
 */
export function asInterruption(error: unknown, { aborted }: AbortSignal, state: string): unknown {
  const isCutShort = aborted && error instanceof Error && (!('exitCode' in error) || error.exitCode === 4);
  return isCutShort ? new ReleaseError('INTERRUPTED', { state }, error) : error;
}
