/** What something from outside should be, and what it is: the words for a refusal's sentence. */
export type Mismatch = { readonly expected: string; readonly found: string };

/** The same as an error. */
export class Fault extends Error implements Mismatch {
  readonly expected: string;
  readonly found: string;
  constructor(expected: string, found: string, cause?: unknown) {
    super(`expected ${expected}, found ${found}`, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.expected = expected;
    this.found = found;
  }
}
