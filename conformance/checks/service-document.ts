import { childrenOf } from '../../formats/xml-tree.ts';
import type { Check } from '../check.ts';
import { parsedOf } from '../document.ts';
import { namespaces } from '../namespaces.ts';
import { demand, skip } from '../verdict.ts';
import { mediaTypeOf, statusLine, textOf } from '../wire/answer.ts';

/** The first thing that every client asks for (spec nuget-v2 9.1, 2.1). */
export const serviceDocumentChecks: readonly Check[] = [
  ...(['', '/'] as const).map(
    (path): Check => ({
      id: path === '' ? 'service-document/answers' : 'service-document/answers-with-slash',
      section: '9.1',
      title: `GET {base}${path} answers 200, a redirect followed`,
      level: 'must',
      breaks:
        'choco 1.x/0.10.15 stops at once unless its probe is answered 2xx; choco 2.x takes its base from it',
      async run({ feed }) {
        const answer = await feed.askFollowing(feed.base + path);
        demand(answer.status === 200, answer, 'status 200', statusLine(answer));
      },
    }),
  ),
  {
    id: 'service-document/starts-as-xml',
    section: '2.1',
    title: 'the body begins with <?xml',
    level: 'must',
    breaks: 'PowerShellGet tells v2 from v3 by it: Register-PSRepository refuses the source',
    async run({ feed }) {
      const answer = await feed.askFollowing(feed.base);
      const text = textOf(answer);
      demand(
        text.startsWith('<?xml'),
        answer,
        'a body that begins with <?xml',
        JSON.stringify(text.slice(0, 20)),
      );
    },
  },
  {
    id: 'service-document/collection',
    section: '9.1',
    title: 'a service of one workspace with the collection Packages',
    level: 'must',
    breaks: 'WCF (choco 1.x, nuget.exe 2.x) and OData tools find no collection',
    async run({ feed }) {
      const answer = await feed.askFollowing(feed.base);
      const parsed = parsedOf(answer);
      demand('root' in parsed, answer, 'well-formed XML', 'problem' in parsed ? parsed.problem : '');
      const { root } = parsed;
      demand(
        root.name === 'service' && root.namespace === namespaces.app,
        answer,
        `root service in ${namespaces.app}`,
        `${root.name} in ${root.namespace || 'no namespace'}`,
      );
      const collections = childrenOf(root, 'workspace').flatMap((workspace) =>
        childrenOf(workspace, 'collection'),
      );
      const hrefs = collections.map(({ attributes }) => attributes.get('href') ?? '');
      demand(
        hrefs.includes('Packages'),
        answer,
        'collection href="Packages"',
        hrefs.join(', ') || 'no collection',
      );
    },
  },
  {
    id: 'service-document/atom-titles',
    section: '9.1',
    title: 'titles are written with the prefix atom',
    level: 'should',
    breaks: "NuGetGallery's own functional test and scripts look for the text `Packages</atom:title>`",
    async run({ feed }) {
      const answer = await feed.askFollowing(feed.base);
      const isThere =
        textOf(answer).includes('<atom:title') && textOf(answer).includes('Packages</atom:title>');
      demand(isThere, answer, '<atom:title and Packages</atom:title>', 'other spelling');
    },
  },
  {
    id: 'service-document/base',
    section: '9.1',
    title: 'xml:base is the feed with a trailing slash',
    level: 'should',
    breaks: 'OData clients resolve the collection against it',
    async run({ feed }) {
      const answer = await feed.askFollowing(feed.base);
      const parsed = parsedOf(answer);
      if ('problem' in parsed) return skip('the service document is not readable');
      const base = parsed.root.attributes.get('xml:base') ?? '';
      demand(sameAddress(base, `${feed.base}/`), answer, `xml:base="${feed.base}/"`, base || 'none');
    },
  },
  {
    id: 'service-document/same-with-slash',
    section: '16',
    title: 'with and without trailing slash the same document',
    level: 'should',
    breaks: 'whoever types the source with the other ending gets another feed',
    async run({ feed }) {
      const [plain, slash] = [await feed.askFollowing(feed.base), await feed.askFollowing(`${feed.base}/`)];
      const isSame = plain.status === slash.status && plain.body.equals(slash.body);
      demand(isSame, slash, 'the same bytes', `${statusLine(plain)} and ${statusLine(slash)}, other bytes`);
    },
  },
  {
    id: 'service-document/type',
    section: '9.1',
    title: 'Content-Type is application/xml',
    level: 'should',
    breaks: 'OData libraries that look at the type (choco itself does not)',
    async run({ feed }) {
      const answer = await feed.askFollowing(feed.base);
      const type = mediaTypeOf(answer);
      demand(
        ['application/xml', 'application/atomsvc+xml'].includes(type),
        answer,
        'application/xml',
        type || 'none',
      );
    },
  },
];

/** Hosts are compared without case; Node and .NET write them differently. */
function sameAddress(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href;
}
