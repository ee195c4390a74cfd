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

type About = Pick<Check, 'what' | 'subject'>;

/** Equal or not; `detail` says what it means that they are. */
export function compare(about: About, expected: string, found: string | undefined, detail: string): Check {
  if (expected === found) return { ...about, verdict: 'passed', detail };
  return failed(about, expected, found ?? 'none');
}

export function failed(about: About, expected: string, found: string): Check {
  return { ...about, verdict: 'failed', detail: `expected ${expected}, found ${found}`, expected, found };
}

export function unreachable(about: About, detail: string): Check {
  return { ...about, verdict: 'unreachable', detail };
}

export function skipped(about: About, detail: string): Check {
  return { ...about, verdict: 'skipped', detail };
}

/** Two texts byte for byte. What differs is named by its line: a whole manifest in a message does not help. */
export function compareTexts(about: About, expected: string, found: string, detail: string): Check {
  if (expected === found) return { ...about, verdict: 'passed', detail };
  const [wanted, there] = [expected.split('\n'), found.split('\n')];
  const at = wanted.findIndex((line, index) => line !== there[index]);
  const line = at < 0 ? wanted.length : at;
  const show = (text: string | undefined): string =>
    `line ${line + 1} ${text === undefined ? 'to be the end' : JSON.stringify(text.slice(0, 200))}`;
  return failed(about, show(wanted[line]), show(there[line]));
}
