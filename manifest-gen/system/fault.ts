/** A file from outside is not what it should be: the words for a refusal's sentence. */
export class Fault extends Error {
  readonly expected: string;
  readonly found: string;
  constructor(expected: string, found: string, cause?: unknown) {
    super(`expected ${expected}, found ${found}`, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.expected = expected;
    this.found = found;
  }
}
