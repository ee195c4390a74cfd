import { type BenchPackage, searchWords } from './packages.ts';
import { exactly, findById, newest, oneOfEach, search, spread } from './rows.ts';

/** A kind of question that clients ask, with as many addresses as the feed keeps in memory at once. */
export type Kind = {
  readonly name: string;
  /** The lowest acceptable rate as a share of bare `node:http`: when asked for the first time, and after a change. */
  readonly first: number;
  readonly changed: number;
  /** The same as a share of asking once more: nothing has to be made anew. Absent for searches, which have to look. */
  readonly asAgain?: number;
  readonly paths: (packages: readonly BenchPackage[]) => string[];
};

const ids = 500;

export const kinds: readonly Kind[] = [
  {
    name: 'FindPackagesById',
    first: 0.15,
    changed: 0.65,
    asAgain: 0.9,
    paths: (packages) => some(packages).map(({ id }) => findById('/nuget', id)),
  },
  {
    name: 'Packages(Id,Version)',
    first: 0.2,
    changed: 0.5,
    asAgain: 0.9,
    paths: (packages) =>
      spread(packages)
        .slice(0, 2000)
        .map((pkg) => exactly('/nuget', pkg)),
  },
  {
    name: 'newest by id filter',
    first: 0.2,
    changed: 0.5,
    asAgain: 0.9,
    paths: (packages) => some(packages).map(({ id }) => newest('/nuget', id)),
  },
  {
    name: 'Search, 30 results',
    first: 0.12,
    changed: 0.2,
    paths: () => searchWords().map(search),
  },
  {
    name: 'v3 registration',
    first: 0.15,
    changed: 0.5,
    asAgain: 0.9,
    paths: (packages) => some(packages).map(({ id }) => `/v3/reg/${id}/index.json`),
  },
  {
    name: 'v3 search, 20 results',
    first: 0.1,
    changed: 0.2,
    paths: () => searchWords().map((words) => `/v3/search?q=${encodeURIComponent(words)}&semVerLevel=2.0.0`),
  },
];

function some(packages: readonly BenchPackage[]): BenchPackage[] {
  return oneOfEach(packages).slice(0, ids);
}
