import { ReleaseError } from './release-error.ts';

/** The end of a verb that is no success. What failed, or is to be done, was reported already; this is the closing line. */
export class Ended extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'Ended';
    this.exitCode = exitCode;
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
