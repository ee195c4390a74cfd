import pMap from 'p-map';
import { Ended } from '../../../errors/ended.ts';
import { fail, ReleaseError } from '../../../errors/release-error.ts';
import { FormatError } from '../../../formats/format-error.ts';
import type { CommandReport, Outcome } from '../../report/report.ts';

export type Failure = { readonly tool: string; readonly error: ReleaseError };

export type RunResult = {
  readonly outcomes: readonly Outcome[];
  readonly failures: readonly Failure[];
  /** What was published, as text; undefined for verbs that never publish. */
  readonly published?: readonly string[];
};

export type Run = {
  readonly report: CommandReport;
  readonly signal: AbortSignal;
  readonly failures: Failure[];
  readonly published: readonly string[];
  /** What is planned and not published yet, such as `delve 1.22.0`; verbs that change nothing have none. */
  readonly unfinished?: ReadonlySet<string>;
};

/** A run that has done nothing yet. @param published grows with what it publishes */
export function beginRun(
  { report, signal }: Pick<Run, 'report' | 'signal'>,
  published: readonly string[] = [],
): Run {
  return { report, signal, failures: [], published };
}

/**
 * Work for one tool. A failure is reported and recorded, and the caller goes on with the next tool; the result is then undefined.
 * @throws ReleaseError INTERRUPTED, saying what was and what was not published; anything that is a bug of ours
 */
export async function attempt<T>(run: Run, tool: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    if (run.signal.aborted) return interrupted(run);
    return await work();
  } catch (error) {
    if (run.signal.aborted) return interrupted(run, error);
    const known = asReleaseError(tool, error);
    run.failures.push({ tool, error: known });
    run.report.failed(tool, known);
    return undefined;
  }
}

/** By importance for CI: a forgery, then what needs a person, then what a retry may solve. */
const gravestFirst = [3, 2, 1, 4] as const;

/**
 * @param broken tools with invalid files, which were reported before the run began
 * @throws Ended with the most serious exit code
 */
export function endRun(
  { outcomes, failures: failed, published }: RunResult,
  broken: readonly Failure[] = [],
): void {
  const failures = [...broken, ...failed];
  if (failures.length === 0) return;
  const exitCode = gravestFirst.find((code) => failures.some(({ error }) => error.exitCode === code)) ?? 1;
  const names = failures.map(({ tool }) => tool).join(', ');
  const count = failures.length + outcomes.length;
  const who = count === 1 ? `${names} failed` : `${failures.length} of ${count} failed: ${names}`;
  throw new Ended(published === undefined ? `${who}.` : `${who}. ${inWords(published)}`, exitCode);
}

/** @throws ReleaseError INTERRUPTED, saying what was and what was not published */
export function interrupted(
  { published, unfinished = new Set() }: Pick<Run, 'published' | 'unfinished'>,
  cause?: unknown,
): never {
  const rest = unfinished.size === 0 ? '' : ` Not finished: ${[...unfinished].join(', ')}.`;
  fail('INTERRUPTED', { state: `${inWords(published)}${rest}`.replace(/\.$/, '') }, cause);
}

function inWords(published: readonly string[]): string {
  return published.length === 0 ? 'Nothing was published.' : `Published: ${published.join('; ')}.`;
}

/**
 * Turns a fault of the input or of this machine into one of a tool.
 * @throws bugs of ours
 */
export function asReleaseError(tool: string, error: unknown): ReleaseError {
  if (error instanceof ReleaseError) return error;
  if (error instanceof FormatError) {
    return new ReleaseError('CONTENT_INVALID', { tool, problem: error.message }, error);
  }
  if (error instanceof Error && 'syscall' in error) {
    return new ReleaseError('MACHINE_FAILED', { tool, cause: error.message }, error);
  }
  throw error;
}

/**
 * The results in the order of the items. Waits for all, even if one throws, so that nothing works on in a folder that is about to
 * be removed.
 * @throws the first error
 */
export async function settled<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  try {
    return await pMap(items, work, { concurrency, stopOnError: false });
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}
