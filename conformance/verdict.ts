import type { Answer } from './wire/answer.ts';

/** What the feed answered is not what it owes. */
export class Violation extends Error {
  readonly expected: string;
  readonly found: string;
  readonly request: string;

  constructor(expected: string, found: string, request: string) {
    super(`expected ${expected}, found ${found}`);
    this.name = 'Violation';
    this.expected = expected;
    this.found = found;
    this.request = request;
  }
}

/** What the feed holds cannot show whether it keeps to this. */
export class NotShown extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'NotShown';
  }
}

/** Throws the violation unless `holds`; `found` is made only then. */
export function demand(
  holds: boolean,
  answer: Pick<Answer, 'request'>,
  expected: string,
  found: string | (() => string),
): asserts holds {
  if (!holds) {
    throw new Violation(expected, typeof found === 'string' ? found : found(), answer.request);
  }
}

/** The feed has nothing to check this with. */
export function skip(why: string): never {
  throw new NotShown(why);
}
