import { ReleaseError } from '../../errors/release-error.ts';
import type { Difference } from '../plan/same-files.ts';

/**
 * One thing that was compared again. `unreachable` could not be repeated here and now, which is not the same as `failed`;
 * `skipped` was left out on purpose or has nothing to compare with.
 */
export type Check = {
  /** What was compared: `manifest`, `package`, `payload`, `upstream`, a kind of evidence. */
  readonly what: string;
  readonly subject: string;
  readonly verdict: 'passed' | 'failed' | 'unreachable' | 'skipped';
  readonly detail: string;
  /** Both are given when it failed. */
  readonly expected?: string;
  readonly found?: string;
};

/** What a check is about. */
export type About = Pick<Check, 'what' | 'subject'>;

/** Equal or not; `detail` says what it means that they are. */
export function compare(about: About, expected: string, found: string | undefined, detail: string): Check {
  return expected === found ? passed(about, detail) : failed(about, expected, found ?? 'none');
}

export function passed(about: About, detail: string): Check {
  return { ...about, verdict: 'passed', detail };
}

export function failed(about: About, expected: string, found: string): Check {
  return { ...about, verdict: 'failed', detail: `expected ${expected}, found ${found}`, expected, found };
}

export function unreachable(about: About, detail: string): Check {
  return { ...about, verdict: 'unreachable', detail };
}

/** What cannot be downloaded from where clients get it has not been repeated. */
export async function orUnreachable(
  about: About,
  repeat: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    return await repeat();
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code !== 'PLACE_UNREACHABLE') throw error;
    return [unreachable(about, error.message)];
  }
}

export function skipped(about: About, detail: string): Check {
  return { ...about, verdict: 'skipped', detail };
}

/** Two texts byte for byte. What differs is named by its line: a whole manifest in a message does not help. */
export function compareTexts(about: About, expected: string, found: string, detail: string): Check {
  if (expected === found) return passed(about, detail);
  const [wanted, there] = [expected.split('\n'), found.split('\n')];
  const at = wanted.findIndex((line, index) => line !== there[index]);
  const line = at < 0 ? wanted.length : at;
  const show = (text: string | undefined): string =>
    `line ${line + 1} ${text === undefined ? 'to be the end' : JSON.stringify(text.slice(0, 200))}`;
  return failed(about, show(wanted[line]), show(there[line]));
}

const parts: Readonly<Record<Difference['part'], string>> = {
  source: 'the source',
  upstream: 'upstream',
  file: 'the file',
  sha256: 'SHA-256 of the file',
  path: 'the main package',
  version: 'the module version',
  sum: 'the module sum',
  tags: 'the build tags',
  ldflags: 'the linker flags',
  toolchain: 'the Go toolchain',
};

/** What differs, in the middle of a sentence: `the module sum for amd64`. */
export function describePart({ part, architecture }: Difference): string {
  return architecture === undefined ? parts[part] : `${parts[part]} for ${architecture}`;
}
