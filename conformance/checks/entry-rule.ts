import type { Entry } from '../atom.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';

export type Rule = Omit<Check, 'run'> & {
  /** What is wrong with the entry; undefined when nothing is. */
  readonly wrong: (entry: Entry, context: Context) => string | undefined;
  readonly expected: string;
};

/** A rule whose title says what is expected. */
export function rule(
  name: string,
  section: string,
  level: Check['level'],
  title: string,
  breaks: string,
  wrong: Rule['wrong'],
): Rule {
  return { id: `entries/${name}`, section, level, title, breaks, wrong, expected: title };
}
