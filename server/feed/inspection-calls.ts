import type { Details } from '../../formats/fill.ts';
import { FormatError, type FormatErrorCode } from '../../formats/format-error.ts';
import type { Nuspec } from '../../formats/nuspec.ts';

/** What the main thread asks of the thread that inspects packages. An inspection is named by the number of the call that opened it. */
export type Call = { readonly number: number } & (
  | { readonly does: 'open'; readonly content: string | Uint8Array }
  | { readonly does: 'verify' | 'close'; readonly inspection: number }
);

export type Answer = { readonly number: number } & (
  | { readonly nuspec: Nuspec | undefined }
  | { readonly error: SentError }
);

/** Between threads an error loses its class and all of its fields but the message. */
type SentError =
  | { readonly formatCode: FormatErrorCode; readonly details: Details }
  | { readonly message: string; readonly fields: Readonly<Record<string, unknown>> };

export function sendError(error: unknown): SentError {
  if (error instanceof FormatError) return { formatCode: error.code, details: error.details };
  if (!(error instanceof Error)) return { message: String(error), fields: {} };
  const { message, name, stack, code, syscall } = error as NodeJS.ErrnoException;
  return { message, fields: { name, stack, ...(code && { code }), ...(syscall && { syscall }) } };
}

export function receiveError(sent: SentError): Error {
  return 'formatCode' in sent
    ? new FormatError(sent.formatCode, sent.details)
    : Object.assign(new Error(sent.message), sent.fields);
}
