import type * as z from 'zod';
import { refuse } from './config-values.ts';

/** Where the bytes are in an object store. */
export type BlobStoreAddress = {
  readonly bucket: string;
  /** Before the name of every object, without slashes at its ends; may be empty. */
  readonly prefix: string;
};

/**
 * `postgres://USER:PASSWORD@HOST/DATABASE`. No message contains the value, since it holds a password.
 * A `#` in a password would end the address there, and the rest of it would be lost.
 */
export function databaseUrl(text: string, context: z.RefinementCtx): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(?:ql)?:\/\//i.test(text) || url.hash !== '') {
    return refuse(
      context,
      'expected postgres://USER:PASSWORD@HOST/DATABASE, with special characters of the password encoded (%23 for #, %2F for /)',
    );
  }
  return url.host === '' && !url.searchParams.has('host')
    ? refuse(context, 'it names no host; expected postgres://USER:PASSWORD@HOST/DATABASE')
    : text;
}

/** `s3://BUCKET/PREFIX` -> its parts; the prefix may be missing. */
export function blobStore(text: string, context: z.RefinementCtx): BlobStoreAddress {
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][\w.-]{1,61}[a-z0-9])(?:\/(.*))?$/i.exec(text) ?? [];
  const prefix = path.replace(/\/$/, '');
  const isPlain = prefix === '' || prefix.split('/').every(isPlainName);
  return bucket !== undefined && isPlain && prefix.length <= 500
    ? { bucket, prefix }
    : refuse(
        context,
        `expected s3://BUCKET/PREFIX, with letters, digits and . _ - in the names, found ${JSON.stringify(hideUser(text))}`,
      );
}

/** What is wrong with the settings of shared stores taken together; their values are checked by themselves. */
export function sharedStoreProblems(
  given: Readonly<Record<string, string>>,
  supports: 'replicas' | 'one server',
): string[] {
  const [hasDatabase, hasStore] = [given.DATABASE_URL, given.BLOB_STORE].map((value) => value !== undefined);
  if (supports === 'one server' && (hasDatabase || given.DATABASE_URL_FILE !== undefined)) {
    return [
      'DATABASE_URL: start is for one server with SQLite in DATA_DIR. Run serve, with ADMIN_API_KEY for the first key, or unset DATABASE_URL and BLOB_STORE',
    ];
  }
  const problems: string[] = [];
  if (hasDatabase && !hasStore) {
    problems.push(
      'BLOB_STORE: required with DATABASE_URL, since servers that share a database must share the packages too; set it to s3://BUCKET/PREFIX',
    );
  }
  if (hasStore && !hasDatabase && given.DATABASE_URL_FILE === undefined) {
    problems.push(
      'DATABASE_URL: required with BLOB_STORE, since a database in DATA_DIR would not survive the machine that the packages survive; set it to postgres://USER:PASSWORD@HOST/DATABASE',
    );
  }
  if (hasDatabase && given.PUBLIC_URL === undefined) {
    problems.push(
      'PUBLIC_URL: required with DATABASE_URL, since all servers must write the same address into links and manifests',
    );
  }
  return problems;
}

function isPlainName(name: string): boolean {
  return /^[\w.-]+$/.test(name) && name !== '.' && name !== '..';
}

/** Someone may write credentials there, as in other addresses. */
function hideUser(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//***@');
}
