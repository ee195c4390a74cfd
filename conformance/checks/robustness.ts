import { gunzipSync } from 'node:zlib';
import { messageOf } from '../../formats/thrown.ts';
import type { Check } from '../check.ts';
import type { Feed } from '../feed.ts';
import { type Finding, firstOf } from '../journal.ts';
import { quote, stable } from '../samples.ts';
import { demand, skip, Violation } from '../verdict.ts';
import { type Answer, statusLine } from '../wire/answer.ts';
import { askHttp10 } from './ask-http10.ts';

/** The way there: compression, HTTP/1.0; and what must hold of every answer (spec nuget-v2 2, 9.3, 11, 15). */
export const robustnessChecks: readonly Check[] = [
  {
    id: 'robustness/gzip',
    section: '11',
    title: 'where gzip is used it is whole, and the same document',
    level: 'must',
    breaks: 'choco 2.x and nuget.exe: "exactly one package", broken pages (NuGet/Home#7228)',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const path = `/FindPackagesById()?id=${quote(sample.id)}&semVerLevel=2.0.0`;
      const before = await feed.ask(path);
      const zipped = await feed.ask(path, { headers: { 'Accept-Encoding': 'gzip, deflate' } });
      if (zipped.headers['content-encoding'] !== 'gzip') skip('the feed does not compress');
      // Asked before and after: the feed may have changed in between.
      const plain = [before.body, (await feed.ask(path)).body].map(withoutCounts);
      demand(plain.includes(withoutCounts(inflated(zipped))), zipped, 'the same document', 'another');
    },
  },
  {
    id: 'robustness/no-gzip-unasked',
    section: '11',
    title: 'nothing is compressed for who does not ask for it',
    level: 'must',
    breaks: 'choco 0.10.15 and scripts read compressed bytes as XML',
    async run({ feed }) {
      const answer = await feed.ask("/Search()?searchTerm=''&$top=30");
      const encoding = answer.headers['content-encoding'] ?? 'identity';
      demand(encoding === 'identity', answer, 'no Content-Encoding', encoding);
    },
  },
  ...(['', '/$metadata'] as const).map(
    (path): Check => ({
      id: path === '' ? 'robustness/http10-base' : 'robustness/http10-metadata',
      section: '18.2',
      title: `{base}${path} over HTTP/1.0 is whole, not chunked, with its length`,
      level: 'must',
      breaks: 'choco 0.10.15/1.x probes the feed by HTTP/1.0 and stops',
      async run({ feed }) {
        const answer = await askHttp10(feed, path);
        const length = answer.headers['content-length'];
        demand(
          length === undefined || Number(length) === answer.body.length,
          answer,
          `${length} bytes`,
          `${answer.body.length} bytes`,
        );
        demand(
          answer.body.toString('latin1').trimEnd().endsWith('>'),
          answer,
          'a whole document',
          'its beginning',
        );
      },
    }),
  ),
  {
    id: 'robustness/wcf-headers',
    section: '2.3',
    title: 'the headers of WCF are taken',
    level: 'must',
    breaks: 'choco 1.x/0.10.15 sends DataServiceVersion and Accept-Charset with each query',
    async run({ feed }) {
      const headers = {
        DataServiceVersion: '1.0;NetFx',
        MaxDataServiceVersion: '2.0;NetFx',
        Accept: 'application/atom+xml,application/xml',
        'Accept-Charset': 'UTF-8',
        'User-Agent': 'Microsoft ADO.NET Data Services',
      };
      await demandPlain(feed);
      const answer = await feed.ask('/Packages()?$top=1', { headers });
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
    },
  },
  {
    id: 'robustness/any-accept',
    section: '15',
    title: 'Accept is ignored: never 406',
    level: 'must',
    breaks: 'clients with another Accept than the server expects (NuGetGallery#6543)',
    async run({ feed }) {
      await demandPlain(feed);
      for (const accept of ['*/*', 'text/plain', 'application/json']) {
        const answer = await feed.ask('/Packages()?$top=1', {
          headers: { Accept: accept },
        });
        demand(answer.status === 200, answer, `status 200 for Accept: ${accept}`, statusLine(answer));
      }
    },
  },
  ofAll(
    'well-formed',
    'malformed',
    '9.3',
    'must',
    'every document is well-formed XML, one root, nothing behind it',
    'all clients: one unescaped character loses the page (NuGetGallery#2390)',
    'well-formed XML',
  ),
  ofAll(
    'media-type',
    'mediaType',
    '1',
    'must',
    'feeds and entries are application/atom+xml',
    'WCF (choco 1.x/0.10.15) shows no results at all for another type',
    'application/atom+xml',
  ),
  ofAll(
    'data-service-version',
    'dataServiceVersion',
    '1',
    'must',
    'no answer says DataServiceVersion 3.0',
    'WCF (choco 1.x/0.10.15) throws',
    '1.0 or 2.0',
  ),
  ofAll(
    'no-5xx',
    'serverError',
    '8',
    'must',
    'no reading request is answered 5xx',
    'choco 2.x: a single 5xx on a cached query is final',
    'below 500',
  ),
  ofAll(
    'no-html',
    'htmlError',
    '9.9',
    'should',
    'errors are XML or plain text, never HTML',
    'clients parse it as a feed and show nonsense (choco#2606)',
    'XML or text',
  ),
  ofAll(
    'redirects-keep-query',
    'redirected',
    '2.2',
    'must',
    'no redirect drops the query',
    'all clients get other packages than they asked for (chocolatey/home#159)',
    'a Location with the query',
  ),
];

/** A feed that does not answer this at all says nothing about headers. */
async function demandPlain(feed: Feed): Promise<void> {
  const answer = await feed.ask('/Packages()?$top=1');
  if (answer.status !== 200) skip(`the plain request is answered ${statusLine(answer)}`);
}

/** A thing that was watched in all answers of the run. */
function ofAll(
  name: string,
  finding: Finding,
  section: string,
  level: Check['level'],
  title: string,
  breaks: string,
  expected: string,
): Check {
  return {
    id: `robustness/${name}`,
    section,
    title,
    level,
    breaks,
    async run({ journal }) {
      const first = firstOf(journal, finding);
      if (first === undefined) return;
      const others = first.count > 1 ? ` (and ${first.count - 1} more answers)` : '';
      throw new Violation(expected, first.found + others, first.request);
    },
  };
}

function inflated(answer: Answer): Buffer {
  try {
    return gunzipSync(answer.body);
  } catch (error) {
    throw new Violation('a whole gzip stream', messageOf(error), answer.request);
  }
}

/** A feed may show new counts of downloads for half a minute in one form of a document only (spec nuget-v2 18.1). */
function withoutCounts(document: Buffer): string {
  return document.toString('latin1').replace(/(DownloadCount\b[^>]*>)\d+/g, '$1');
}
