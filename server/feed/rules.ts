import { compareNuGetVersions, parseNuGetVersion } from '../../formats/nuget-version.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import { fail } from '../errors.ts';

/** The newest NuGet client that choco 2.x is built on (spec nuget-v2, reference cNC): nobody could install beyond it. */
const newestClient = '6.4.1';
/** Of the community repository (spec nuget-v2 10.3): a package that breaks them could not go there. */
const maxTitleLength = 256;
const maxDescriptionLength = 4000;

type Rule = {
  readonly name: string;
  /** What is wrong, for the person who pushed; undefined when nothing is. */
  readonly problem: (nuspec: Nuspec) => string | undefined;
};

/**
 * What may be published, beyond what `formats/nuspec.ts` and `formats/nupkg.ts` refuse as unreadable: the form of id
 * and version, missing authors, control characters, broken dependencies and entries.
 */
export const rules: readonly Rule[] = [
  {
    name: 'a description',
    problem: ({ description }) =>
      description === undefined
        ? 'the nuspec has no description; add <description> to its <metadata>'
        : undefined,
  },
  {
    name: 'a short title',
    problem: ({ title }) => tooLong('title', title, maxTitleLength),
  },
  {
    name: 'a description that clients show',
    problem: ({ description }) => tooLong('description', description, maxDescriptionLength),
  },
  {
    name: 'a client that can install it',
    problem: ({ minClientVersion }) =>
      isNewer(minClientVersion, newestClient)
        ? `minClientVersion ${minClientVersion} is above ${newestClient}, the newest that clients of this feed have`
        : undefined,
  },
];

/** @throws FeedError PACKAGE_INVALID naming everything that is wrong */
export function checkRules(nuspec: Nuspec): void {
  const problems = rules.map((rule) => rule.problem(nuspec)).filter((problem) => problem !== undefined);
  if (problems.length > 0) fail('PACKAGE_INVALID', { problem: `${problems.join('; ')}.` });
}

function tooLong(field: string, text: string | undefined, maxLength: number): string | undefined {
  return text !== undefined && text.length > maxLength
    ? `the ${field} has ${text.length} characters, at most ${maxLength} are allowed`
    : undefined;
}

function isNewer(text: string | undefined, than: string): boolean {
  const [version, limit] = [parseNuGetVersion(text ?? ''), parseNuGetVersion(than)];
  return version !== undefined && limit !== undefined && compareNuGetVersions(version, limit) > 0;
}
