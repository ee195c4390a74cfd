import { type Details, fill } from '../formats/fill.ts';

/** Every way in which the suite cannot say anything about a feed: code -> [exit code, sentence, what to do next]. */
const errors = {
  USAGE: [2, '{problem}', 'See --help.'],
  SECRET_MISSING: [
    2,
    'The file {file} of {option} cannot be read: {cause}.',
    'Expected a file with the secret alone; correct the path.',
  ],
  UNREACHABLE: [
    4,
    'The feed {url} cannot be reached: {cause}.',
    'Check the address, and that the server is running.',
  ],
  CERTIFICATE: [
    4,
    'The certificate of {url} is not trusted: {cause}.',
    'Use the name that it was issued for, and set NODE_EXTRA_CA_CERTS to the PEM file of its CA, or to its own if it is self-signed.',
  ],
  CREDENTIALS: [
    2,
    'The feed {url} asks for credentials: it answers {status}.',
    'Give --user NAME and --password-file FILE.',
  ],
  REFUSED: [
    2,
    'The feed {url} does not accept this user and password: it answers {status}.',
    'A feed that takes API keys expects the key as the password; it must be one that may read.',
  ],
  KEY_REFUSED: [
    1,
    'The feed {url} does not accept the API key.',
    'Give another one in --api-key-file; nothing was pushed.',
  ],
  KEY_SCOPES: [
    1,
    'The key {name} lacks scopes for packages such as {id}: expected {needed}, missing {missing}.',
    'Nothing was pushed. `feed:keys add --name conformance --scope push unlist --id "conformance-*"` makes a key that is enough; without one the checks only read.',
  ],
  INTERRUPTED: [130, 'Interrupted.', 'No pushed package is left listed, unless a line above says so.'],
} as const satisfies Record<string, readonly [number, string, string]>;

export class ConformanceError extends Error {
  readonly code: keyof typeof errors;
  readonly exitCode: number;
  readonly hint: string;

  constructor(code: keyof typeof errors, details: Details = {}, cause?: unknown) {
    const [exitCode, sentence, hint] = errors[code];
    super(fill(sentence, details), cause === undefined ? undefined : { cause });
    this.name = 'ConformanceError';
    this.code = code;
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** Throws the error `code`; reads as a statement where it is called. */
export function fail(...args: ConstructorParameters<typeof ConformanceError>): never {
  throw new ConformanceError(...args);
}
