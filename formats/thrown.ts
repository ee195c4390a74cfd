import { hideCredentials } from './hide-credentials.ts';

/**
 * The message of anything that was thrown. An error without one, such as a host that refused at each of its addresses, gets its
 * causes' messages.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const causes: readonly unknown[] =
    error instanceof AggregateError ? error.errors : [error.cause ?? error.name];
  return causes.map(messageOf).join(' and ');
}

/**
 * The same for the middle of a sentence: `connect ECONNREFUSED 127.0.0.1:9`. OpenSSL's errors end with a colon and a line break.
 */
export function inShort(error: unknown): string {
  return (messageOf(error).split('\n', 1)[0] ?? '').replace(/[.:\s]+$/, '') || 'no reason is given';
}

const maxCauses = 5;

/**
 * A bug as the terminal shows it: name, message and stack, with its causes. Other properties are left out: HTTP clients attach
 * the whole request to an error, including the key.
 */
export function faultOf(error: unknown, causesLeft = maxCauses): string {
  if (!(error instanceof Error)) return hideCredentials(String(error));
  const causes: readonly unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
  const shown = causesLeft === 0 ? [] : causes.filter((cause) => cause !== undefined).slice(0, maxCauses);
  const own = hideCredentials(error.stack || `${error.name}: ${error.message}`);
  return [own, ...shown.map((cause) => `Caused by ${faultOf(cause, causesLeft - 1)}`)].join('\n');
}
