import { childOf, childrenOf, descendants, type Element } from '../../formats/xml-tree.ts';
import type { Check } from '../check.ts';
import { parsedOf } from '../document.ts';
import type { Feed } from '../feed.ts';
import { demand, skip } from '../verdict.ts';
import { type Answer, statusLine } from '../wire/answer.ts';
import { feedMappings, propertyTypes } from './property-types.ts';

const fallback = 'choco 2.x silently falls back to much worse queries (no Search, no exact latest)';

/** What the feed says of itself (spec nuget-v2 9.2). */
export const metadataChecks: readonly Check[] = [
  {
    id: 'metadata/answers',
    section: '9.2',
    title: '$metadata is a readable EDMX document',
    level: 'must',
    breaks: fallback,
    async run({ feed }) {
      const answer = await feed.ask('/$metadata');
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
      const parsed = parsedOf(answer);
      demand('root' in parsed, answer, 'well-formed XML', 'problem' in parsed ? parsed.problem : '');
      demand(parsed.root.name === 'Edmx', answer, 'root edmx:Edmx', parsed.root.name);
    },
  },
  ...(['Search', 'FindPackagesById', 'GetUpdates'] as const).map(
    (name): Check => ({
      id: `metadata/function-${name.toLowerCase()}`,
      section: '9.2',
      title: `the function import ${name} is advertised`,
      level: name === 'GetUpdates' ? 'should' : 'must',
      breaks:
        name === 'GetUpdates' ? 'nuget.exe 2.x and Visual Studio ask for each package by itself' : fallback,
      async run({ feed }) {
        const { answer, container } = await readContainer(feed);
        const names = childrenOf(container, 'FunctionImport').map(({ attributes }) => attributes.get('Name'));
        demand(names.includes(name), answer, `FunctionImport Name="${name}"`, names.join(', ') || 'none');
      },
    }),
  ),
  {
    id: 'metadata/keeps-its-word',
    section: '9.2',
    title: 'what is advertised is answered',
    level: 'must',
    breaks: 'choco 2.x and 1.x call what is advertised: 404 on it is fatal',
    async run({ feed, samples }) {
      const { container } = await readContainer(feed);
      // What is found is answered 200 by all; that nothing found is too, other checks see to.
      const id = samples.ids[0] ?? 'zz-no-such';
      const advertised = childrenOf(container, 'FunctionImport').map(
        ({ attributes }) => attributes.get('Name') ?? '',
      );
      for (const [name, query] of Object.entries(calls)) {
        if (!advertised.includes(name)) continue;
        const answer = await feed.ask(`/${name}()?${query.replace('{id}', id)}`);
        demand(answer.status === 200, answer, 'status 200 of an advertised function', statusLine(answer));
      }
    },
  },
  {
    id: 'metadata/absolute-latest',
    section: '9.2',
    title: 'the property IsAbsoluteLatestVersion is declared',
    level: 'must',
    breaks: `${fallback}; choco 1.x leaves includePrerelease away`,
    async run({ feed }) {
      const { answer, type } = await readContainer(feed);
      const names = childrenOf(type, 'Property').map(({ attributes }) => attributes.get('Name'));
      demand(
        names.includes('IsAbsoluteLatestVersion'),
        answer,
        'Property IsAbsoluteLatestVersion',
        'not declared',
      );
    },
  },
  {
    id: 'metadata/entity-type',
    section: '9.2',
    title: 'the entity type is V2FeedPackage, a media link entry keyed by Id and Version',
    level: 'should',
    breaks: 'WCF (choco 1.x) takes the stream from content only with m:HasStream',
    async run({ feed }) {
      const { answer, type } = await readContainer(feed);
      const name = type.attributes.get('Name');
      demand(name === 'V2FeedPackage', answer, 'EntityType V2FeedPackage', name ?? 'none');
      demand(type.attributes.get('m:HasStream') === 'true', answer, 'm:HasStream="true"', 'not said');
      const keys = childrenOf(childOf(type, 'Key') ?? type, 'PropertyRef').map(({ attributes }) =>
        attributes.get('Name'),
      );
      demand(keys.join() === 'Id,Version', answer, 'key Id, Version', keys.join(', ') || 'no key');
    },
  },
  {
    id: 'metadata/properties',
    section: '9.2',
    title: 'every property of section 9.5 is declared with its type',
    level: 'should',
    breaks: 'OData tools; choco 1.x --approved-only and --not-broken use undeclared ones',
    async run({ feed }) {
      const { answer, type } = await readContainer(feed);
      const declared = new Map(
        childrenOf(type, 'Property').map(({ attributes }) => [
          attributes.get('Name'),
          attributes.get('Type'),
        ]),
      );
      const wrong = Object.entries(propertyTypes)
        .filter(([name, expected]) => declared.get(name) !== expected)
        .map(([name]) => `${name} ${declared.get(name) ?? 'missing'}`);
      demand(wrong.length === 0, answer, 'all of them', wrong.join(', '));
    },
  },
  {
    id: 'metadata/mappings',
    section: '9.2',
    title: 'Id, Authors, Summary and LastUpdated are mapped to Atom elements',
    level: 'should',
    breaks: 'WCF (choco 1.x) reads the id from the title only by this mapping',
    async run({ feed }) {
      const { answer, type } = await readContainer(feed);
      const mapped = new Map(
        childrenOf(type, 'Property').map(({ attributes }) => [
          attributes.get('Name'),
          attributes.get('m:FC_TargetPath'),
        ]),
      );
      const wrong = Object.entries(feedMappings)
        .filter(([name, place]) => mapped.get(name) !== place)
        .map(([name, place]) => `${name} not to ${place}`);
      demand(wrong.length === 0, answer, 'm:FC_TargetPath on all four', wrong.join(', '));
    },
  },
  {
    id: 'metadata/version',
    section: '9.2',
    title: 'the data service version is 1.0 or 2.0',
    level: 'must',
    breaks: 'WCF (choco 1.x) refuses 3.0 and above',
    async run({ feed }) {
      const { answer, root } = await readContainer(feed);
      const services = childOf(root, 'DataServices');
      const version = services?.attributes.get('m:DataServiceVersion') ?? '';
      demand(/^[12]\.0/.test(version), answer, 'm:DataServiceVersion="2.0"', version || 'none');
    },
  },
];

const calls = {
  Search:
    "$filter=IsLatestVersion&searchTerm='{id}'&targetFramework=''&includePrerelease=false&$skip=0&$top=30",
  FindPackagesById: "id='{id}'",
  GetUpdates:
    "packageIds='{id}'&versions='1.0'&includePrerelease=false&includeAllVersions=false&targetFrameworks=''&versionConstraints=''",
};

type Metadata = { answer: Answer; root: Element; container: Element; type: Element };

/** As NuGet.Client looks: the container whose first entity set is Packages (spec nuget-v2 2.2). */
async function readContainer(feed: Feed): Promise<Metadata> {
  const answer = await feed.ask('/$metadata');
  const parsed = parsedOf(answer);
  if (answer.status !== 200 || 'problem' in parsed) return skip('$metadata is not readable');
  const elements = [...descendants(parsed.root)];
  const container = elements.find(
    (element) =>
      element.name === 'EntityContainer' &&
      childOf(element, 'EntitySet')?.attributes.get('Name') === 'Packages',
  );
  demand(container !== undefined, answer, 'an EntityContainer whose first EntitySet is Packages', 'none');
  const typeName = childOf(container, 'EntitySet')?.attributes.get('EntityType')?.split('.').at(-1);
  const type = elements.find(
    (element) => element.name === 'EntityType' && element.attributes.get('Name') === typeName,
  );
  demand(type !== undefined, answer, `an EntityType ${typeName}`, 'none');
  return { answer, root: parsed.root, container, type };
}
