import { fail, ReleaseError } from '../../errors/release-error.ts';
import { allowedVersions, isOldEnough } from '../plan/newest-allowed.ts';
import type { BuiltBefore, Found } from '../release.ts';
import type { UpstreamKind } from '../tool-file/sources.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { Upstream } from './upstream.ts';

/** The sources that may supply a release, in the order they are asked. */
export type SourceChoice = {
  readonly sources: readonly Upstream[];
  /** Those that are not chosen but could be, for the hint of an error. */
  readonly others: readonly Upstream[];
  /** For `start` alone: a source that cannot be reached gives way to the next (contract section 4). */
  readonly isUnreachableSkipped: boolean;
  readonly now: Date;
  /** How the requested version was built, if it was released before. */
  readonly before?: BuiltBefore;
};

/** How many versions are tried before a tool counts as one without a Windows release (delve had two in a row, spec upstream 1.1). */
const maxCandidates = 10;

/**
 * The newest upstream version that may be taken and that a source can supply. The first source that answers says which versions
 * there are: a later one may know a tag minutes before its release is complete.
 * @throws ReleaseError SOURCE_UNREACHABLE naming the `--source` that would work, VERSION_NONE
 */
export async function findNewest(tool: Tool, choice: SourceChoice): Promise<Found> {
  for (const source of choice.sources) {
    const ask = (one: Upstream) => one.versions(tool);
    const versions = await unlessUnreachable(source, choice, ask, (found) => found.length > 0);
    const candidates = allowedVersions(versions ?? [], tool, choice.now).slice(0, maxCandidates);
    for (const version of candidates) {
      const { found } = await askEach(tool, version, choice);
      if (found !== undefined && isOldEnough(found.published, tool, choice.now)) return found;
    }
  }
  const looked = [
    choice.sources.map((source) => source.kind).join(', '),
    ...(tool.versions === undefined ? [] : [`range ${tool.versions}`]),
    ...(tool.minAge === undefined ? [] : [`at least ${tool.minAge} old`]),
  ];
  fail('VERSION_NONE', { tool: tool.tool, looked: looked.join(', ') });
}

/**
 * @throws ReleaseError SOURCE_UNREACHABLE naming the `--source` that would work, VERSION_UNKNOWN saying what each source lacks
 */
export async function findVersion(tool: Tool, version: string, choice: SourceChoice): Promise<Found> {
  const { found, lacks } = await askEach(tool, version, choice);
  return found ?? fail('VERSION_UNKNOWN', { tool: tool.tool, version, looked: lacks.join('; ') });
}

/** Lacks: the next one. Unreachable: the end. Refused: the end. (contract section 4) */
async function askEach(
  tool: Tool,
  version: string,
  choice: SourceChoice,
): Promise<{ readonly found: Found | undefined; readonly lacks: readonly string[] }> {
  const lacks: string[] = [];
  for (const source of choice.sources) {
    const ask = (one: Upstream) => one.find(tool, version, choice.before);
    const answer = await unlessUnreachable(source, choice, ask, (found) => 'fingerprint' in found);
    if (answer !== undefined && 'fingerprint' in answer) return { found: answer, lacks };
    lacks.push(answer === undefined ? `${source.kind} cannot be reached` : `${source.kind}: ${answer.lacks}`);
  }
  return { found: undefined, lacks };
}

/**
 * Asks a source. When it cannot be reached the error is completed by the sources whose answer would do; where an unreachable
 * source is skipped, the answer is undefined.
 */
async function unlessUnreachable<T>(
  source: Upstream,
  choice: SourceChoice,
  ask: (source: Upstream) => Promise<T>,
  isEnough: (answer: T) => boolean,
): Promise<T | undefined> {
  const isSkipped = choice.isUnreachableSkipped && choice.sources.at(-1) !== source;
  const rest = [...choice.sources, ...choice.others].filter((one) => one !== source);
  try {
    if (isSkipped) return await ask(source);
    const wouldDo = async (other: Upstream): Promise<boolean> => isEnough(await ask(other));
    return await orNameOthers(rest, () => ask(source), wouldDo);
  } catch (error) {
    if (isSkipped && isUnreachable(error)) return undefined;
    throw error;
  }
}

/** When the question's source cannot be reached, the error names the others that would work, so that a person chooses. */
export async function orNameOthers<T>(
  rest: readonly Upstream[],
  question: () => Promise<T>,
  wouldDo: (other: Upstream) => Promise<boolean>,
): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (!isUnreachable(error) || error.code !== 'SOURCE_UNREACHABLE') throw error;
    const others = await whichWouldDo(rest, wouldDo);
    throw new ReleaseError(
      error.code,
      { ...error.details, others: others.join(), hint: hintOf(others) },
      error,
    );
  }
}

export async function has(source: Upstream, tool: Tool, version: string): Promise<boolean> {
  return 'fingerprint' in (await source.find(tool, version));
}

async function whichWouldDo(
  rest: readonly Upstream[],
  wouldDo: (other: Upstream) => Promise<boolean>,
): Promise<readonly UpstreamKind[]> {
  // all at once, since each may have to be waited for; faults of other sources do not change this error
  const would = await Promise.all(rest.map((other) => wouldDo(other).catch(() => false)));
  return rest.filter((_, at) => would[at]).map(({ kind }) => kind);
}

function hintOf(others: readonly UpstreamKind[]): string {
  return others.length === 0
    ? 'Try again later; no other source of this tool has it or can be reached.'
    : `Try again later, or use another source: ${others.map((kind) => `\`--source ${kind}\``).join(' or ')} would do.`;
}

/** Whether a source could not be reached, and no other one would do. */
export function hasNoReachableSource({ code, details }: ReleaseError): boolean {
  return code === 'SOURCE_UNREACHABLE' && (details.others ?? '') === '';
}

function isUnreachable(error: unknown): error is ReleaseError {
  return error instanceof ReleaseError && error.exitCode === 4;
}
