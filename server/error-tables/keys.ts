import type { ErrorTable } from './table.ts';

/**
 * Only for the holder of the secret. If it came as a password of Basic the answer is 401, so that git and nuget ask for another
 * one.
 */
const expired =
  'The specified API key ({name}) expired at {at}. Ask the administrator of this feed (feed:keys rotate --expires).';
const revoked =
  'The specified API key ({name}) was revoked at {at}. Ask the administrator of this feed for another one.';
const rotated = 'The specified API key ({name}) was replaced at {at} and no longer works: use the new one.';

/** API keys, in requests and in the operator's verbs. */
export const keyErrors = {
  KEY_MISSING: [
    401,
    'This needs an API key: send it as X-NuGet-ApiKey, as a Bearer token, or as the password of Basic authentication.',
  ],
  KEY_INVALID: [403, 'The specified API key is invalid: it is unknown to this server. {advice}'],
  KEY_EXPIRED: [403, expired],
  KEY_REVOKED: [403, revoked],
  KEY_ROTATED: [403, rotated],
  KEY_NETWORK: [
    403,
    'The specified API key ({name}) may not be used from {from}: it is limited to other networks. Use it from one of them, or ask for a key for this one.',
  ],
  PASSWORD_EXPIRED: [401, expired],
  PASSWORD_REVOKED: [401, revoked],
  PASSWORD_ROTATED: [401, rotated],
  PASSWORD_INVALID: [
    401,
    'The password of Basic authentication is not a valid API key. Use any user name, and a key as the password.',
  ],
  KEY_SCOPE: [
    403,
    'The specified API key does not have the scope {scope} for {subject}. Use a key that has it, or ask the administrator of this feed for one (feed:keys add --scope {scope}).',
  ],
  KEY_IDS: [
    403,
    'The specified API key is limited to {ids}, which does not include {subject}. Use a key for it, or ask the administrator of this feed for one (feed:keys add --id).',
  ],
  KEY_UNUSABLE: [400, 'This key cannot be created: {problem}.'],
  KEY_UNKNOWN: [404, 'No active key has the id or name {which}; `feed:keys list` shows all.'],
  KEY_AMBIGUOUS: [409, 'Several keys are named {which}; choose one by its id: {ids}.'],
  KEY_NOT_FOUND: [404, 'No active key has the id {id}; `feed:keys list` shows all.'],
  KEY_DEAD: [
    409,
    'The key {id} has expired, so rotating it needs a new expiry: --expires on the command line, `expires` in the API.',
  ],
  KEY_EXCHANGED: [
    409,
    'A CI job got the key {id} in exchange for its token, so it cannot be rotated: the next job gets another one. Revoke it (feed:keys revoke), or remove its publisher (feed:keys trust remove).',
  ],
} as const satisfies ErrorTable;
