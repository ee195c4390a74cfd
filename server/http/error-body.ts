/** The answer to the client. */
export type ErrorResponse = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  /** The state that something is in, where what was asked does not fit it. */
  readonly state?: string;
};

export type ErrorBody = { readonly type: string; readonly body: string };

/** The body of an error in each format that programs read; the gallery renders pages. */
export const errorBodies: Readonly<Record<'odata' | 'text' | 'json', (answer: ErrorResponse) => ErrorBody>> =
  {
    // spec nuget-v2 9.9: choco 1.x prints m:message; HTML here confuses users (choco#2606).
    odata: ({ code, message }) => ({
      type: 'application/xml; charset=utf-8',
      body:
        '<?xml version="1.0" encoding="utf-8"?>\n' +
        '<m:error xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">' +
        `<m:code>${escapeMarkup(code)}</m:code><m:message xml:lang="en-US">${escapeMarkup(message)}</m:message></m:error>\n`,
    }),
    text: ({ message }) => ({ type: 'text/plain; charset=utf-8', body: `${message}\n` }),
    // RFC 9457
    json: ({ status, code, message, requestId, state }) => ({
      type: 'application/problem+json; charset=utf-8',
      body: `${JSON.stringify({ title: message, status, code, requestId, state })}\n`,
    }),
  };

/**
 * The text as a reason phrase, which is all that choco 2.x and nuget.exe show (spec nuget-v2 10.3): one line, ISO 8859-1 without
 * control characters, at most 512 characters. Node refuses to send anything else.
 */
export function reasonPhrase(message: string): string {
  return message
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e\xa0-\xff]/gu, '?')
    .trim()
    .slice(0, 512);
}

function escapeMarkup(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return (
    text
      .replace(/[&<>"]/g, (character) => entities[character] ?? character)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML 1.0 forbids
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]/gu, '?')
  );
}
