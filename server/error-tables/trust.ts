import type { ErrorTable } from './table.ts';

/**
 * Trusted publishing. Nothing is said of a token, nor of what this server trusts, before its signature is known to be right. Anybody can
 * get a good token from a public issuer: so what a publisher expects is shown only to a token with its subject.
 */
export const trustErrors = {
  TOKEN_INVALID: [
    403,
    'The token is refused: it is not signed with a key of its issuer that this server knows. On the server, `feed:keys issuer list` shows the known keys, and `feed:keys issuer refresh` fetches new ones.',
  ],
  TOKEN_TIME: [
    403,
    'The token is refused: {problem}. The time here is {now}. Get a new token in the job, right before it is used, and compare the clocks if that one is refused, too.',
  ],
  TOKEN_SUBJECT: [
    403,
    'The token is refused: there is no trusted publisher{named} with its issuer and its subject {subject}. An administrator of this feed can make one: feed:keys trust add.',
  ],
  TOKEN_CLAIM: [
    403,
    'The token is refused: the publisher {publisher} expects {what} {expected}, found {found}. Correct the job, or add a publisher that fits it: feed:keys trust add.',
  ],
  TOKEN_AMBIGUOUS: [
    409,
    'Several trusted publishers fit the token: {names}. Name one of them: `publisher` in the body, or FEED_PUBLISHER for the release verbs.',
  ],
  TOKEN_NETWORK: [
    403,
    'The token is refused: it came from {from}, but the publisher {publisher} is limited to other networks. Run the job in one of those, or add a publisher for this one: feed:keys trust add --network.',
  ],
  TOKEN_SPENT: [
    403,
    'The token is refused: it was exchanged before, and a token can be exchanged only once. Get a new token in the job. If nobody in the job has used this one, somebody else has it.',
  ],
  TOKEN_MANY: [
    429,
    'The publisher {publisher} already has 500 keys that are valid or expired within the last hour. Exchange one token for each job, and try again in an hour.',
  ],
  PUBLISHER_UNUSABLE: [400, 'This trusted publisher cannot be added: {problem}.'],
  PUBLISHER_EXISTS: [
    409,
    'There is already a trusted publisher named {name}. Choose another name, or remove that one first: publishers cannot be changed.',
  ],
  PUBLISHER_UNKNOWN: [
    404,
    'No trusted publisher has the id or name {which}; `feed:keys trust list` shows all.',
  ],
  ISSUER_UNUSABLE: [400, 'The keys of this issuer cannot be used: {problem}.'],
  ISSUER_FILE: [
    500,
    'The file {file} of --jwks cannot be read: {cause}. Expected a JWK Set ({"keys": [...]}); correct the path.',
  ],
  ISSUER_UNKNOWN: [404, 'There are no keys of the issuer {issuer}; `feed:keys issuer list` shows all.'],
} as const satisfies ErrorTable;
