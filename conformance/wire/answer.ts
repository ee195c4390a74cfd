/** What came back, whole and bounded, as the checks look at it. */
export type Answer = {
  /** As it was sent: `GET /nuget/Packages()?$top=2`. */
  readonly request: string;
  readonly status: number;
  /** The reason phrase: all that choco 2.x and nuget.exe show of an error (spec nuget-v2 10.3). */
  readonly reason: string;
  readonly httpVersion: string;
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

/** The body as text. A byte order mark is tolerated, as all clients do (spec nuget-v2 2.1). */
export function textOf({ body }: Pick<Answer, 'body'>): string {
  return body.toString('utf8').replace(/^\u{feff}/u, '');
}

export function mediaTypeOf({ headers }: Pick<Answer, 'headers'>): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** `404 Not Found`, for a person. */
export function statusLine({ status, reason }: Pick<Answer, 'status' | 'reason'>): string {
  return `${status} ${reason}`.trim();
}
