import { gzipSync } from 'node:zlib';
import type { Answered, Fault, Passing } from './breaking-proxy.ts';

/** A feed with one fault, and exactly the checks that must see it. */
export type Mutant = Fault & { readonly name: string; readonly fails: readonly string[] };

const is = (answer: Answered, type: string): boolean => (answer.headers['content-type'] ?? '').includes(type);
const isFeed = (answer: Answered): boolean => is(answer, 'atom+xml');
const isEmpty = (answer: Answered): boolean =>
  answer.body.includes('<feed') && !answer.body.includes('<entry>');

function notFound(answer: Answered): void {
  answer.status = 404;
  answer.reason = 'Not Found';
}

/** Changes every feed and entry document. */
function everywhere(name: string, fails: readonly string[], change: (body: string) => string): Mutant {
  return {
    name,
    fails,
    after(answer) {
      if (isFeed(answer)) answer.body = change(answer.body);
    },
  };
}

/** Changes the entries of one package. */
function ofPackage(
  id: string,
  name: string,
  fails: readonly string[],
  change: (entry: string) => string,
): Mutant {
  return everywhere(name, fails, (body) =>
    body.replace(/<entry[ >].*?<\/entry>/gs, (entry) =>
      entry.includes(`<d:Id>${id}</d:Id>`) ? change(entry) : entry,
    ),
  );
}

function when(
  name: string,
  fails: readonly string[],
  matches: (passing: Passing, answer: Answered) => boolean,
  change: (answer: Answered, passing: Passing) => void,
): Mutant {
  return {
    name,
    fails,
    after(answer, passing) {
      if (matches(passing, answer)) change(answer, passing);
    },
  };
}

/** Understands a question otherwise than it was meant. */
function misread(name: string, fails: readonly string[], change: (target: string) => string): Mutant {
  return {
    name,
    fails,
    before(passing) {
      passing.target = change(passing.target);
    },
  };
}

const manyPlain = /FindPackagesById\(\)\?id='shared.many'&semVerLevel=2.0.0$/;
const property = (name: string): RegExp => new RegExp(`<d:${name}( [^>]*)?(/>|>[^<]*</d:${name}>)`, 'g');

export const readMutants: readonly Mutant[] = [
  when(
    '404 for an id that has no versions',
    ['find-packages-by-id/unknown-id', 'find-packages-by-id/empty-id'],
    ({ target }, answer) => /\?id='(zz[^']*)?'/.test(target) && isEmpty(answer),
    notFound,
  ),
  when(
    '404 for an exact filter without results',
    ['filters/unknown-id'],
    ({ target }) => target.includes("Packages()?$filter=(tolower(Id)%20eq%20'zz-no-such"),
    notFound,
  ),
  when(
    '404 for a search without results',
    ['search/no-hit'],
    ({ target }) => target.includes("searchTerm='zz-no-such"),
    notFound,
  ),
  when(
    'gzip cut short',
    ['robustness/gzip'],
    ({ headers }, answer) => isFeed(answer) && 'accept-encoding' in headers,
    (answer) => {
      answer.headers['content-encoding'] = 'gzip';
      answer.bytes = gzipSync(answer.body).subarray(0, -20);
    },
  ),
  when(
    'another document in gzip',
    ['robustness/gzip'],
    ({ headers }, answer) => isFeed(answer) && 'accept-encoding' in headers,
    (answer) => {
      answer.headers['content-encoding'] = 'gzip';
      answer.bytes = gzipSync(`${answer.body}<!-- another -->`);
    },
  ),
  when(
    'gzip without being asked',
    ['robustness/no-gzip-unasked'],
    ({ target }) => target.endsWith("/Search()?searchTerm=''&$top=30"),
    (answer) => {
      answer.headers['content-encoding'] = 'gzip';
      answer.bytes = gzipSync(answer.body);
    },
  ),
  everywhere('a relative next link', ['paging/next-is-absolute'], (body) =>
    body.replace(/(rel="next" href=")[^"]*?\/nuget\//, '$1'),
  ),
  everywhere(
    'always the same next link',
    ['paging/next-keeps-the-question', 'paging/next-leads-through-all', 'paging/top-6000'],
    (body) => body.replace(/skiptoken=[^"&]*/g, 'skip=0'),
  ),
  when(
    'a next link on a page that fills $top',
    ['paging/top-has-no-next'],
    ({ target }) => target.includes('Packages()?$top=2&'),
    (answer) => {
      answer.body = answer.body.replace(
        '</feed>',
        '<link rel="next" href="http://127.0.0.1:9/nuget/Packages()?x"/></feed>',
      );
    },
  ),
  misread('a full page has one entry less', ['paging/top'], (target) =>
    target.replace('Packages()?$top=2&', 'Packages()?$top=1&'),
  ),
  misread('$top=0 is the default', ['paging/top-zero'], (target) => target.replace('?$top=0', '')),
  misread('$skip is ignored', ['paging/skip'], (target) =>
    target.replace('$skip=1&$top=1', '$skip=0&$top=1'),
  ),
  misread('at most 50 entries whatever $top says', ['paging/top-6000'], (target) =>
    target.replace('$top=6000', '$top=50'),
  ),
  {
    name: 'pages of 50',
    fails: ['paging/default-size'],
    before(passing) {
      if (manyPlain.test(passing.target)) passing.target += '&$top=50';
    },
    after(answer, { target }) {
      if (!target.endsWith('&$top=50')) return;
      const [, base] = /xml:base="([^"]*)"/.exec(answer.body) ?? [];
      const next = `${base}FindPackagesById()?id='shared.many'&amp;semVerLevel=2.0.0&amp;$skip=50`;
      answer.body = answer.body.replace('</feed>', `<link rel="next" href="${next}"/></feed>`);
    },
  },
  when(
    '404 beyond the end',
    ['paging/skip-past-end'],
    ({ target }) => target.includes('$skip=1000000'),
    notFound,
  ),
  when(
    'a byte order mark before $count',
    ['counts/search', 'counts/search-without-parentheses'],
    ({ target }) => /Search(\(\))?\/\$count/.test(target),
    (answer) => {
      answer.body = `\u{feff}${answer.body}`;
    },
  ),
  everywhere('no m:count', ['counts/inline', 'counts/inline-search'], (body) =>
    body.replace(/<m:count>\d+<\/m:count>/, ''),
  ),
  misread('tag: is nothing but text', ['search/tag-prefix'], (target) =>
    target.replace(/tag:(?=\w)/, 'tag%5F'),
  ),
  misread('tag: is passed over', ['search/tag-prefix'], (target) => target.replace(/%20tag:[^']*/, '')),
  when(
    '404 for completion',
    ['completion/ids', 'completion/versions'],
    ({ target }) => /\/package-(ids|versions)/.test(target),
    notFound,
  ),
  misread('equal is taken for contains', ['filters/not-a-substring'], (target) =>
    target.replace(/tolower\(Id\)%20eq%20('shared\.git')/, 'substringof($1,tolower(Id))'),
  ),
  misread('an unbalanced filter is left out', ['errors/unbalanced-quote'], (target) =>
    target.replace(/\$filter=[^&]*o'brien[^&]*/, ''),
  ),
  misread('an unknown property is left out', ['errors/unknown-property'], (target) =>
    target.replace(/\$filter=NoSuchProperty[^&]*/, ''),
  ),
  misread('an unknown order is left out', ['errors/unknown-order'], (target) =>
    target.replace('$orderby=abc', ''),
  ),
  misread('NormalizedVersion is compared as text', ['filters/normalized-version-lt'], (target) =>
    target.replace(/NormalizedVersion%20lt%20'[^']*'/, "NormalizedVersion%20lt%20'9999.0.0'"),
  ),
  misread('or is and', ['filters/or'], (target) =>
    target.replace('IsPrerelease%20or%20IsLatestVersion', 'IsPrerelease%20and%20IsLatestVersion'),
  ),
  misread('IsApproved is nothing to filter by', ['filters/approved'], (target) =>
    target.replace('(IsApproved)', '(false)'),
  ),
  misread('%27 is no quote', ['find-packages-by-id/encoded-quotes'], (target) =>
    target.replace(/\?id=%27([^%]*)%27/, '?id=zz'),
  ),
  misread('ids are compared with their case', ['find-packages-by-id/upper-case'], (target) =>
    /\?id='[^a-z]*'/.test(target) &&
    /[A-Z]/.test(target.split('?id=')[1] ?? '') &&
    /id='[A-Z.]+'/.test(target)
      ? target.replace(/\?id='[^']*'/, "?id='zz'")
      : target,
  ),
  when(
    '404 for a key with the id in capitals',
    ['packages-by-key/upper-case-id'],
    ({ target }) => /Packages\(Id='[A-Z.]+'/.test(target),
    notFound,
  ),
  when(
    '404 for a version of four parts',
    ['packages-by-key/four-parts', 'packages-by-key/leading-zeros'],
    ({ target }) => /Packages\(Id='[^']*',Version='\d+\.\d+\.\d+\.0'\)/.test(target),
    notFound,
  ),
  when(
    '500 for a key that is unknown',
    ['packages-by-key/unknown', 'robustness/no-5xx'],
    ({ target }) => target.includes("Packages(Id='zz-no-such"),
    (answer) => {
      answer.status = 500;
    },
  ),
  misread('an unreadable version empties GetUpdates', ['get-updates/unreadable-version'], (target) =>
    target.replace(/packageIds='[^']*'&versions='garbage[^']*'/, "packageIds=''&versions=''"),
  ),
  misread('of an id given twice the highest version counts', ['get-updates/same-id-twice'], (target) =>
    target.replace(/versions='[0.]*1%7C2000000000.0.0'/, "versions='2000000000.0.0%7C2000000000.0.0'"),
  ),
  misread('includeAllVersions is ignored', ['get-updates/all-versions'], (target) =>
    target.replace('includeAllVersions=true', 'includeAllVersions=false'),
  ),
  when(
    'cut short over HTTP/1.0',
    ['robustness/http10-metadata', 'robustness/well-formed'],
    ({ httpVersion, target }) => httpVersion === '1.0' && target.endsWith('$metadata'),
    (answer) => {
      answer.body = answer.body.slice(0, -20);
    },
  ),
  misread('SemVer 2 versions for everybody', ['semver-views/level-absent'], (target) =>
    /FindPackagesById\(\)\?id='shared\.Main'$/.test(target) ? `${target}&semVerLevel=2.0.0` : target,
  ),
  misread('no SemVer 2 versions in Search', ['semver-views/search'], (target) =>
    /\/Search\(\)\?searchTerm='shared.Main'/.test(target) ? target.replace('&semVerLevel=2.0.0', '') : target,
  ),
  misread('prereleases in each search', ['search/prereleases-hidden'], (target) =>
    target.replace(
      /(searchTerm='shared.Main'.*)&includePrerelease=false(&\$orderby=Id&\$skip=0&\$top=100)/,
      '$1&includePrerelease=true$2',
    ),
  ),
  when(
    'flags in Search that FindPackagesById has not',
    ['latest-flags/same-everywhere'],
    ({ target }) => target.includes('/Search()?$filter=tolower(Id)'),
    (answer) => {
      answer.body = answer.body.replace(
        property('IsAbsoluteLatestVersion'),
        '<d:IsAbsoluteLatestVersion m:type="Edm.Boolean">false</d:IsAbsoluteLatestVersion>',
      );
    },
  ),
  everywhere('m:null on booleans', ['entries/no-null-values'], (body) =>
    body.replace(
      property('IsDownloadCacheAvailable'),
      '<d:IsDownloadCacheAvailable m:type="Edm.Boolean" m:null="true"/>',
    ),
  ),
  everywhere('True for true', ['entries/booleans'], (body) =>
    body.replace(property('IsApproved'), '<d:IsApproved m:type="Edm.Boolean">True</d:IsApproved>'),
  ),
  everywhere('more downloads than Int32 holds', ['entries/integers'], (body) =>
    body.replace(
      property('VersionDownloadCount'),
      '<d:VersionDownloadCount m:type="Edm.Int32">3000000000</d:VersionDownloadCount>',
    ),
  ),
  everywhere('an empty date', ['entries/dates'], (body) =>
    body.replace(property('Created'), '<d:Created m:type="Edm.DateTime"></d:Created>'),
  ),
  everywhere('no m:type', ['entries/types'], (body) => body.replace(/ m:type="Edm.Int64"/g, '')),
  ofPackage('shared.special', 'Published is null', ['entries/published'], (entry) =>
    entry.replace(property('Published'), '<d:Published m:type="Edm.DateTime" m:null="true"/>'),
  ),
  everywhere('content with an end tag', ['entries/content-self-closing'], (body) =>
    body.replace(/(<content [^>]*)\/>/g, '$1></content>'),
  ),
  ofPackage('shared.special', 'a relative content src', ['entries/content-src'], (entry) =>
    entry.replace(/src="[^"]*"/, 'src="package/x/1.0.0"'),
  ),
  ofPackage('shared.special', 'the display title for the id', ['entries/title'], (entry) =>
    entry.replace(/<title type="text">[^<]*/, '<title type="text">Nice'),
  ),
  ofPackage('shared.special', 'a relative atom id', ['entries/id'], (entry) =>
    entry.replace(/<id>[^<]*\/(Packages[^<]*)<\/id>/, '<id>$1</id>'),
  ),
  ofPackage('shared.dependent', 'a range for any version', ['entries/dependencies'], (entry) =>
    entry.replace(property('Dependencies'), '<d:Dependencies>shared.git:(, )</d:Dependencies>'),
  ),
  ofPackage('shared.special', 'an address that is none', ['entries/urls'], (entry) =>
    entry.replace(property('ProjectUrl'), '<d:ProjectUrl>www.example</d:ProjectUrl>'),
  ),
  ofPackage('shared.preview', 'IsPrerelease false on a prerelease', ['entries/is-prerelease'], (entry) =>
    entry.replace(property('IsPrerelease'), '<d:IsPrerelease m:type="Edm.Boolean">false</d:IsPrerelease>'),
  ),
  everywhere('no IsApproved', ['entries/approved', 'entries/all-properties', 'filters/approved'], (body) =>
    body.replace(property('IsApproved'), ''),
  ),
  everywhere('a hash in hex', ['entries/hash'], (body) =>
    body.replace(
      /<d:PackageHash>([^<]*)</g,
      (_, hash: string) => `<d:PackageHash>${Buffer.from(hash, 'base64').toString('hex')}<`,
    ),
  ),
  everywhere('a comment in each entry', ['entries/no-comments'], (body) =>
    body.replace(/<m:properties>/g, '<m:properties><!-- here -->'),
  ),
  everywhere('another prefix', ['entries/prefixes'], (body) =>
    body
      .replace(/(<\/?)d:/g, '$1x:')
      .replace(' xmlns:m=', ' xmlns:x="http://schemas.microsoft.com/ado/2007/08/dataservices" xmlns:m='),
  ),
  everywhere(
    'properties within content',
    ['entries/properties-place', 'entries/content-self-closing'],
    (body) => body.replace(/(<content [^>]*)\/>(<m:properties>.*?<\/m:properties>)/gs, '$1>$2</content>'),
  ),
  ofPackage('shared.special', 'an ampersand as it is', ['robustness/well-formed'], (entry) =>
    entry.replace('&amp;', '&'),
  ),
  when(
    'two documents in one answer',
    ['robustness/well-formed'],
    ({ target }) => target.includes('paging') || target.includes("searchTerm='azure"),
    (answer) => {
      answer.body += answer.body;
    },
  ),
  when(
    'DataServiceVersion 3.0',
    ['robustness/data-service-version'],
    (_, answer) => isFeed(answer),
    (answer) => {
      answer.headers.dataserviceversion = '3.0;';
    },
  ),
  when(
    'feeds as text/xml',
    ['robustness/media-type'],
    (_, answer) => isFeed(answer),
    (answer) => {
      answer.headers['content-type'] = 'text/xml';
    },
  ),
  when(
    'errors as pages',
    ['robustness/no-html', 'errors/document'],
    (_, { status }) => status >= 400,
    (answer) => {
      answer.headers['content-type'] = 'text/html';
      answer.body = '<html><body>Oops</body></html>';
    },
  ),
  when(
    'a redirect without the query',
    ['robustness/redirects-keep-query', 'search/unknown-parameters'],
    ({ target }) => target.includes('hijack=false&packageSource'),
    (answer) => {
      answer.status = 302;
      answer.headers.location = '/nuget/Search()';
    },
  ),
  when(
    'a service document without declaration',
    ['service-document/starts-as-xml'],
    ({ target }) => /\/nuget\/?$/.test(target),
    (answer) => {
      answer.body = answer.body.replace(/^<\?xml[^>]*>\s*/, '');
    },
  ),
  when(
    '404 for the base with a slash',
    ['service-document/answers-with-slash', 'service-document/same-with-slash'],
    ({ target, method }) => method === 'GET' && target === '/nuget/',
    notFound,
  ),
  when(
    'no FindPackagesById in $metadata',
    ['metadata/function-findpackagesbyid'],
    ({ target }) => target.endsWith('$metadata'),
    (answer) => {
      answer.body = answer.body.replace(/<FunctionImport Name="FindPackagesById".*?<\/FunctionImport>/s, '');
    },
  ),
  when(
    'no IsAbsoluteLatestVersion in $metadata',
    ['metadata/absolute-latest', 'metadata/properties'],
    ({ target }) => target.endsWith('$metadata'),
    (answer) => {
      answer.body = answer.body.replace(/<Property Name="IsAbsoluteLatestVersion"[^>]*\/>/, '');
    },
  ),
  when(
    'no $metadata',
    ['metadata/answers', 'robustness/http10-metadata'],
    ({ target }) => target.endsWith('$metadata'),
    notFound,
  ),
  when(
    'gzipped packages',
    ['downloads/not-compressed'],
    ({ target, headers }) => target.includes('/package/') && 'accept-encoding' in headers,
    (answer) => {
      answer.headers['content-encoding'] = 'gzip';
      answer.bytes = gzipSync(Buffer.from(answer.body, 'latin1'));
    },
  ),
  when('no HEAD', ['downloads/head'], ({ method }) => method === 'HEAD', notFound),
  when(
    'another package for an unknown version',
    ['downloads/unknown'],
    ({ target }) => target.includes('/987.654.321'),
    (answer) => {
      answer.status = 200;
    },
  ),
  when(
    'an exposed file',
    ['downloads/traversal'],
    ({ target }) => target.includes('..%2f'),
    (answer) => {
      answer.status = 200;
    },
  ),
];

const isPush = ({ method }: Passing): boolean => method === 'PUT';
const refusal = /^(400|409)$/;

/** Those that only show when something is pushed. */
export const pushMutants: readonly Mutant[] = [
  when(
    '500 for a duplicate',
    [
      'push/duplicate',
      'push/duplicate-metadata',
      'push/duplicate-spelling',
      'push/parallel',
      'withdraw/no-second-push',
    ],
    (passing, { status }) => isPush(passing) && status === 409,
    (answer) => {
      answer.status = 500;
    },
  ),
  when(
    '201 for a duplicate',
    [
      'push/duplicate',
      'push/duplicate-metadata',
      'push/duplicate-reason',
      'push/duplicate-spelling',
      'push/parallel',
      'withdraw/no-second-push',
    ],
    (passing, { status }) => isPush(passing) && status === 409,
    (answer) => {
      answer.status = 201;
      answer.reason = 'Created';
    },
  ),
  when(
    'the usual reason phrases',
    ['push/duplicate-reason', 'push/says-why'],
    (passing, { status }) => isPush(passing) && refusal.test(String(status)),
    (answer) => {
      answer.reason = answer.status === 409 ? 'Conflict' : 'Bad Request';
    },
  ),
  when(
    'no body in a refusal',
    ['push/says-why-in-body'],
    (passing, { status }) => isPush(passing) && refusal.test(String(status)),
    (answer) => {
      answer.body = '';
    },
  ),
  when(
    'nothing at the root of the site',
    ['push/site-root'],
    (passing) => isPush(passing) && passing.target === '/api/v2/package/',
    notFound,
  ),
  when('no warning of SemVer 2', ['push/warns-of-semver2'], isPush, (answer) => {
    delete answer.headers['x-nuget-warning'];
  }),
  when(
    '200 for a push',
    ['push/status'],
    (passing, { status }) => isPush(passing) && status === 201,
    (answer) => {
      answer.status = 200;
    },
  ),
  when(
    '500 for what is no package',
    [
      'push/refuses-not-a-zip',
      'push/refuses-empty',
      'push/refuses-no-nuspec',
      'push/refuses-broken-nuspec',
      'push/refuses-bad-version',
      'push/refuses-bad-id',
      'push/refuses-truncated',
    ],
    (passing, { status }) => isPush(passing) && status === 400,
    (answer) => {
      answer.status = 500;
    },
  ),
  when(
    '401 for a wrong key',
    ['push/wrong-key'],
    (passing, { status }) => isPush(passing) && status === 403,
    (answer) => {
      answer.status = 401;
    },
  ),
  {
    name: 'everybody may push',
    fails: ['push/needs-key'],
    before(passing) {
      if (isPush(passing) && passing.headers['x-nuget-apikey'] === undefined)
        passing.headers['x-nuget-apikey'] = 'an-admin-key-for-tests';
    },
  },
  {
    name: '404 for a push without trailing slash',
    fails: ['push/chunked-root'],
    before(passing) {
      if (isPush(passing) && passing.target === '/nuget') passing.target = '/nuget/elsewhere';
    },
    after(answer, { target }) {
      if (target === '/nuget/elsewhere') notFound(answer);
    },
  },
  when(
    '406 for an unusual Accept',
    ['push/any-accept'],
    ({ headers, method }) => method === 'PUT' && headers.accept === 'text/html',
    (answer) => {
      answer.status = 406;
    },
  ),
  when(
    'other bytes than were pushed',
    ['downloads/hash', 'downloads/latest', 'push/bytes'],
    ({ target }, { status }) => /\/package\/[^/]*\.(bytes|digit|git|special)/.test(target) && status === 200,
    (answer) => {
      answer.body = `${answer.body.slice(0, -1)}x`;
    },
  ),
  {
    name: 'a deletion that deletes nothing',
    fails: ['withdraw/flags-move', 'withdraw/not-in-search', 'withdraw/stays-for-those-who-need-it'],
    before(passing) {
      if (passing.method === 'DELETE' && passing.target.includes('.w-')) passing.target = '/nuget/elsewhere';
    },
    after(answer, { target }) {
      if (target === '/nuget/elsewhere') answer.status = 204;
    },
  },
  when(
    '204 for a deletion of what is not there',
    ['withdraw/unknown'],
    ({ method }, { status }) => method === 'DELETE' && status === 404,
    (answer) => {
      answer.status = 204;
    },
  ),
];

/** Those of a feed that wants a password. */
export const authMutants: readonly Mutant[] = [
  when(
    '401 without a challenge',
    ['auth/challenge'],
    (_, { status }) => status === 401,
    (answer) => {
      delete answer.headers['www-authenticate'];
    },
  ),
  when(
    'an empty password is a wrong one',
    ['auth/empty-password'],
    ({ headers }) => headers.authorization === 'Basic Og==',
    (answer) => {
      answer.reason = 'The password is wrong';
    },
  ),
  when(
    '403 for a wrong password',
    ['auth/wrong-password'],
    ({ headers }, { status }) =>
      status === 401 && headers.authorization !== undefined && headers.authorization !== 'Basic Og==',
    (answer) => {
      answer.status = 403;
    },
  ),
  when(
    '$metadata for everybody',
    ['auth/everywhere'],
    ({ target }) => target.endsWith('$metadata'),
    (answer) => {
      answer.status = 200;
    },
  ),
];
