import { childOf } from '../../formats/xml-tree.ts';
import type { Check } from '../check.ts';
import { parsedOf } from '../document.ts';
import { demand, skip } from '../verdict.ts';
import { type Answer, mediaTypeOf, statusLine, textOf } from '../wire/answer.ts';

const wrongPackage = 'choco takes the first entry of unfiltered data for the answer: wrong package';

/** What is not understood is refused, in words that a client can show (spec nuget-v2 8, 9.9). */
export const errorChecks: readonly Check[] = [
  ...malformed(),
  {
    id: 'errors/document',
    section: '9.9',
    title: 'a refused query is answered by m:error in XML, or by plain text',
    level: 'should',
    breaks: 'choco 1.x prints the message of m:error',
    async run({ feed }) {
      const answer = await refused(await feed.ask("/Packages()?$filter=startswith(tolower(Id),'o'brien')"));
      if (mediaTypeOf(answer) === 'text/plain') return;
      const parsed = parsedOf(answer);
      demand(
        'root' in parsed && parsed.root.name === 'error',
        answer,
        'root m:error, or text/plain',
        mediaTypeOf(answer) || 'nothing',
      );
      demand(childOf(parsed.root, 'message')?.text.trim() !== undefined, answer, 'm:message', 'none');
    },
  },
  {
    id: 'errors/reason',
    section: '9.9',
    title: 'a refused query has a reason phrase',
    level: 'should',
    breaks: 'choco 2.x shows nothing else',
    async run({ feed }) {
      const answer = await refused(await feed.ask("/Packages()?$filter=startswith(tolower(Id),'o'brien')"));
      demand(answer.reason.trim() !== '', answer, 'a reason', 'none');
    },
  },
  {
    id: 'errors/unknown-route',
    section: '9.9',
    title: 'an unknown address is 404',
    level: 'must',
    breaks: 'clients take 200 for an answer (choco#3217)',
    async run({ feed }) {
      const answer = await feed.ask('/NoSuchThing()');
      demand(answer.status === 404, answer, 'status 404', statusLine(answer));
    },
  },
  {
    id: 'errors/delete-base',
    section: '9.9',
    title: 'DELETE {base} is 405',
    level: 'should',
    breaks: "NuGetGallery's functional test",
    async run({ feed }) {
      const answer = await feed.ask('', { method: 'DELETE' });
      demand([405, 404, 401, 403].includes(answer.status), answer, 'status 405', statusLine(answer));
    },
  },
  {
    id: 'errors/batch',
    section: '3',
    title: 'POST $batch is answered, or refused by 404, 405 or 501',
    level: 'may',
    breaks: 'choco 1.x sends queries of more than 2048 characters there',
    async run({ feed }) {
      const answer = await feed.ask('/$batch', {
        method: 'POST',
        body: Buffer.from('--x--\r\n'),
        headers: { 'Content-Type': 'multipart/mixed; boundary=x' },
      });
      demand(answer.status < 500 || answer.status === 501, answer, 'status 404 or 501', statusLine(answer));
    },
  },
  {
    id: 'errors/garbage-escapes',
    section: '16',
    title: 'percent escapes that are none are 400',
    level: 'should',
    breaks: 'a 5xx on a cached query is final for choco 2.x',
    async run({ feed }) {
      for (const path of [
        "/Packages()?$filter=Id%20eq%20'%ZZ'",
        "/Packages(Id='%E0%A4%A',Version='1.0.0')",
      ]) {
        const answer = await feed.ask(path);
        demand([400, 404].includes(answer.status), answer, 'status 400', statusLine(answer));
      }
    },
  },
  {
    id: 'errors/deep-filter',
    section: '8',
    title: 'a filter nested 500 deep is answered or refused, not by 5xx',
    level: 'should',
    breaks: 'the server: one request ends it',
    async run({ feed }) {
      const answer = await feed.ask(`/Packages()?$filter=${'('.repeat(500)}true${')'.repeat(500)}&$top=1`);
      demand(answer.status < 500, answer, 'status 200 or 400', statusLine(answer));
    },
  },
];

function malformed(): Check[] {
  const filters: readonly [string, Check['level'], string][] = [
    ['unbalanced-quote', 'must', "$filter=startswith(tolower(Id),'o'brien')%20and%20IsLatestVersion"],
    ['unbalanced-parenthesis', 'must', "$filter=(tolower(Id)%20eq%20'x'"],
    ['unknown-property', 'must', "$filter=NoSuchProperty%20eq%20'x'"],
    ['unknown-function', 'must', "$filter=nosuchfunction(Id,'x')"],
    ['rest', 'must', '$filter=IsLatestVersion%20nonsense'],
    ['wrong-types', 'should', "$filter=DownloadCount%20eq%20'many'"],
    ['unknown-order', 'should', '$orderby=abc'],
    ['top-is-no-number', 'should', '$top=x'],
    ['negative-top', 'should', '$top=-1'],
    ['skip-is-no-number', 'should', '$skip=x'],
  ];
  return filters.map(([name, level, query]) => ({
    id: `errors/${name}`,
    section: '8',
    title: `${query.replaceAll('%20', ' ')} is 400`,
    level,
    breaks: query.startsWith('$filter') ? wrongPackage : 'scripts page for ever, or get everything',
    async run({ feed }) {
      const answer = await feed.ask(`/Packages()?${query}`);
      demand(answer.status === 400, answer, 'status 400', statusLine(answer));
    },
  }));
}

async function refused(answer: Answer): Promise<Answer> {
  return answer.status >= 400 && textOf(answer) !== ''
    ? answer
    : skip(`a malformed filter is answered ${statusLine(answer)}`);
}
