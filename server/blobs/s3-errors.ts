import { FeedError } from '../errors.ts';
import type { S3Address } from './s3-client.ts';

type Answered = {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number };
};

/** Whether the store answered that there is no such object. */
export function isNoSuchKey(error: unknown): boolean {
  return error instanceof Error && ['NoSuchKey', 'NotFound'].includes(error.name);
}

/**
 * What went wrong, as the store or the system names it: `AccessDenied`, `ECONNREFUSED`. Only names: messages and fields of the
 * SDK's errors may quote the request, and with it the credentials. Clients see them, so what is no name is not shown.
 */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const isNameless = /^(Error|AggregateError|UnknownError|Unknown)$/.test(error.name);
  const name = isNameless || !/^[\w.-]{1,100}$/.test(error.name) ? undefined : error.name;
  const status = statusOf(error);
  return name ?? code ?? (status === undefined ? 'no answer' : `HTTP status ${status}`);
}

function statusOf(error: unknown): number | undefined {
  const { $metadata, $response } = error as Answered;
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** The error for a log, without what the SDK attached to it: request, headers, answer. */
function plain(error: unknown): Error {
  const { $metadata } = (error ?? {}) as Answered;
  const about = [statusOf(error), $metadata?.requestId]
    .filter((part) => part !== undefined)
    .join(', request ');
  return new Error(`${causeOf(error)}${about === '' ? '' : ` (${about})`}`);
}

/** An error of a request while the server runs. */
export function asBlobStoreError(error: unknown): unknown {
  if (error instanceof FeedError || error instanceof TypeError) return error;
  return new FeedError('BLOB_STORE_UNREACHABLE', { cause: causeOf(error) }, plain(error));
}

const noBucket = /^(NoSuchBucket|NotFound)$/;
/** Those about tokens come with status 400. The last is versitygw's, with status 404. */
const refused =
  /^(AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|XAdminUserNotFound)$/;
const elsewhere =
  /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|InvalidRegion)$/;

/** A server that starts has no credentials, or cannot get those that its environment names: a file, a token, a service that gives them. */
export function asCredentialsError(error: unknown, address: S3Address): FeedError {
  const cause = causeOf(error);
  const shown = cause === 'CredentialsProviderError' ? 'none were found' : cause;
  return new FeedError('BLOB_STORE_CREDENTIALS', { at: placeOf(address), cause: shown }, plain(error));
}

/** The first request of a server that starts: its settings may be wrong. */
export function asStartError(error: unknown, address: S3Address): FeedError {
  const [cause, status] = [causeOf(error), statusOf(error)];
  const details = { bucket: address.bucket, at: placeOf(address), cause };
  const fail = (code: ConstructorParameters<typeof FeedError>[0]) =>
    new FeedError(code, details, plain(error));
  if (noBucket.test(cause)) return fail('BLOB_STORE_MISSING');
  if (elsewhere.test(cause) || isRegionMissing(error)) return fail('BLOB_STORE_ELSEWHERE');
  if (status === 401 || status === 403 || refused.test(cause)) return fail('BLOB_STORE_REFUSED');
  // A web server that is no object store answers with a page, or with 404 and 405.
  if (isUnreadable(error) || (status !== undefined && status < 500)) return fail('BLOB_STORE_ELSEWHERE');
  return fail('BLOB_STORE_SILENT');
}

function isRegionMissing(error: unknown): boolean {
  return error instanceof Error && /region is missing/i.test(error.message);
}

/** The SDK could not read the answer as XML. */
function isUnreadable(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof Error && /deserialization/i.test(error.message));
}

/** Someone may write credentials into the endpoint, as in other addresses. */
function placeOf({ endpoint, region }: S3Address): string {
  const at = endpoint ?? `AWS${region === undefined ? '' : `, region ${region}`}`;
  return at.replace(/\/\/[^/]*@/, '//***@');
}
