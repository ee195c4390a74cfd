import { type Details, type FactsOf, fill } from '../formats/fill.ts';
import { forTerminal } from '../formats/for-terminal.ts';
import { devboxErrors } from './devbox.ts';
import { feedErrors } from './feed.ts';
import { inputErrors } from './input.ts';
import { machineErrors } from './machine.ts';
import { releaseErrors } from './releases.ts';
import { sourceErrors } from './sources.ts';

/** Every way in which a verb that releases, or works on what was released, can fail. */
const errors = {
  ...inputErrors,
  ...sourceErrors,
  ...releaseErrors,
  ...feedErrors,
  ...devboxErrors,
  ...machineErrors,
} as const;

export type ReleaseErrorCode = keyof typeof errors;

/** The one error of these verbs. `message` is the sentence, `hint` what to do next, `exitCode` how the program ends. */
export class ReleaseError extends Error {
  readonly code: ReleaseErrorCode;
  readonly exitCode: number;
  readonly hint: string;
  readonly details: Details;

  constructor(code: ReleaseErrorCode, details: Details = {}, cause?: unknown) {
    const [exitCode, sentence, hint] = errors[code];
    super(forTerminal(fill(sentence, details)), cause === undefined ? undefined : { cause });
    this.name = 'ReleaseError';
    this.code = code;
    this.exitCode = exitCode;
    this.hint = forTerminal(fill(hint, details));
    this.details = details;
  }
}

/** Throws the error `code`; reads as a statement where it is called. */
export function fail<Code extends ReleaseErrorCode>(
  code: Code,
  details: FactsOf<(typeof errors)[Code][1 | 2]>,
  cause?: unknown,
): never {
  throw new ReleaseError(code, details, cause);
}
