import { readPage } from './atom.ts';
import { parsedOf } from './document.ts';
import { type Answer, mediaTypeOf, textOf } from './wire/answer.ts';

/** What is true of every answer is looked at in every answer, whatever it was asked for. */
export type Journal = Map<Finding, string[]>;

export type Finding = keyof typeof findings;

/** What no answer may be. Each is looked at as the answers come; the checks in checks/all-answers.ts report them. */
const findings = {
  malformed: (answer: Answer) => {
    if (!isFeedDocument(answer)) return undefined;
    const parsed = parsedOf(answer);
    return 'problem' in parsed ? parsed.problem : undefined;
  },
  mediaType: (answer: Answer) => {
    if (!isFeedDocument(answer)) return undefined;
    const parsed = parsedOf(answer);
    const isFeed = 'root' in parsed && readPage(parsed.root) !== undefined;
    return isFeed && mediaTypeOf(answer) !== 'application/atom+xml'
      ? (answer.headers['content-type'] ?? 'no Content-Type')
      : undefined;
  },
  dataServiceVersion: ({ headers }: Answer) => {
    const version = headers.dataserviceversion;
    return version !== undefined && Number.parseFloat(version) >= 3 ? version : undefined;
  },
  serverError: ({ request, status, reason }: Answer) =>
    status >= 500 && status !== 501 && /^(GET|HEAD) /.test(request) ? `${status} ${reason}` : undefined,
  htmlError: (answer: Answer) =>
    answer.status >= 400 && isHtml(answer) ? `${answer.status} with ${mediaTypeOf(answer)}` : undefined,
  redirected: ({ status, headers, request }: Answer) =>
    status >= 300 &&
    status < 400 &&
    status !== 304 &&
    request.includes('?') &&
    !(headers.location ?? '').includes('?')
      ? `${status} to ${headers.location}`
      : undefined,
} as const satisfies Record<string, (answer: Answer) => string | undefined>;

export function createJournal(): Journal {
  return new Map();
}

export function noteAnswer(journal: Journal, answer: Answer): void {
  for (const [name, look] of Object.entries(findings) as [
    Finding,
    (answer: Answer) => string | undefined,
  ][]) {
    const found = look(answer);
    if (found === undefined) continue;
    journal.set(name, [...(journal.get(name) ?? []), `${answer.request}\n${found}`]);
  }
}

/** The first answer of that kind: what it was asked and what was found; and how many there were. */
export function firstOf(
  journal: Journal,
  finding: Finding,
): { request: string; found: string; count: number } | undefined {
  const notes = journal.get(finding);
  const [request = '', found = ''] = notes?.[0]?.split('\n') ?? [];
  return notes === undefined ? undefined : { request, found, count: notes.length };
}

/** What a client of the feed would parse as XML. */
function isFeedDocument({ request, status, headers }: Answer): boolean {
  if (status !== 200 || !request.startsWith('GET ') || headers['content-encoding'] !== undefined)
    return false;
  return (
    /\/(Packages|Search|FindPackagesById|GetUpdates)\b|\/\$metadata/.test(request) &&
    !/\/(\$count|\$value|Download)\b/.test(request)
  );
}

function isHtml(answer: Answer): boolean {
  return (
    /html/.test(mediaTypeOf(answer)) || /^\s*<(!doctype html|html)\b/i.test(textOf(answer).slice(0, 200))
  );
}
