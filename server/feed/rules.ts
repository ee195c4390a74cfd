import type { FormatError } from '../../formats/format-error.ts';
import { compareVersionTexts } from '../../formats/nuget-version.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import { fail } from '../errors.ts';

/**
 * The newest NuGet client that choco 2.x is built on (spec nuget-v2, reference cNC): nobody could install a package that needs a
 * newer one.
 */
const newestClient = '6.4.1';
/** The community repository's limit (spec nuget-v2 10.3): a package above it could not be published there. */
const maxTitleLength = 256;
const maxDescriptionLength = 4000;

/** A rule that a package has to follow to be published. Refusals name it. */
export type Rule = {
  readonly name: string;
  readonly sentence: string;
  /**
   * What is wrong, for the person who pushed; undefined when nothing is. Rules without this function are checked elsewhere:
   * `heldBy` says where.
   */
  readonly problem?: (nuspec: Nuspec) => string | undefined;
  readonly heldBy?: string;
};

/** All rules, in the words of docs/operate/limits.md. */
export const rules: readonly Rule[] = [
  {
    name: 'readable',
    sentence: 'The upload is a zip with one nuspec at its root, and every entry unpacks safely on Windows.',
    heldBy: 'formats/nupkg.ts',
  },
  {
    name: 'id-form',
    sentence: 'An id has at most 100 letters, digits and _, with a single . or - between them.',
    heldBy: 'formats/nuspec.ts',
  },
  {
    name: 'required-metadata',
    sentence: 'The nuspec has id, version, authors and description.',
    problem: ({ description }) =>
      description === undefined
        ? 'the nuspec has no description; add <description> to its <metadata>'
        : undefined,
  },
  {
    name: 'valid-metadata',
    sentence: 'Every client can read the versions, ranges and addresses in the nuspec.',
    heldBy: 'formats/nuspec.ts',
  },
  {
    name: 'title-length',
    sentence: `A title has at most ${maxTitleLength} characters.`,
    problem: ({ title }) => tooLong('title', title, maxTitleLength),
  },
  {
    name: 'description-length',
    sentence: `A description has at most ${maxDescriptionLength} characters.`,
    problem: ({ description }) => tooLong('description', description, maxDescriptionLength),
  },
  {
    name: 'client-version',
    sentence: `minClientVersion is at most ${newestClient}, which the newest choco is built on.`,
    problem: ({ minClientVersion }) =>
      isNewer(minClientVersion, newestClient)
        ? `minClientVersion ${minClientVersion} is above ${newestClient}, the newest of this feed's clients`
        : undefined,
  },
  {
    name: 'size',
    sentence: 'An upload has at most MAX_PACKAGE_BYTES.',
    heldBy: 'push/upload.ts, as PACKAGE_TOO_LARGE',
  },
  {
    name: 'reserved-ids',
    sentence: 'An id that RESERVED_IDS reserves comes with a key that is limited to such ids.',
    heldBy: 'feed/reserved-ids.ts, as ID_RESERVED',
  },
  {
    name: 'approvals',
    sentence: 'A stable version of an id that APPROVALS names comes by a rollout, which others approve.',
    heldBy: 'feed/approvals.ts, as APPROVALS_NEEDED',
  },
  {
    name: 'version-free',
    sentence: 'No version is ever replaced, however it is spelled, listed or not.',
    heldBy: 'catalog.add, as PACKAGE_EXISTS',
  },
  {
    // choco groups by a case-sensitive hash (spec nuget-v2 12.5).
    name: 'first-push-casing',
    sentence: "An id in another casing is accepted, and shown in the casing of the id's first push.",
    heldBy: 'catalog.add',
  },
];

/** @throws FeedError PACKAGE_INVALID naming everything that is wrong */
export function checkRules(nuspec: Nuspec): void {
  const problems = rules.flatMap(({ name, problem }) => {
    const found = problem?.(nuspec);
    return found === undefined ? [] : [`${found} (rule ${name})`];
  });
  if (problems.length > 0) fail('PACKAGE_INVALID', { problem: `${problems.join('; ')}.` });
}

/** The rule behind an error of formats/, which could not read the package. */
export function ruleOf({ code, details }: FormatError): string {
  if (code === 'NUSPEC_FIELD_MISSING') return 'required-metadata';
  if (code === 'NUSPEC_FIELD_INVALID') return details.field === 'id' ? 'id-form' : 'valid-metadata';
  return 'readable';
}

function tooLong(field: string, text: string | undefined, maxLength: number): string | undefined {
  return text !== undefined && text.length > maxLength
    ? `the ${field} has ${text.length} characters, at most ${maxLength} are allowed`
    : undefined;
}

function isNewer(text: string | undefined, than: string): boolean {
  return (compareVersionTexts(text ?? '', than) ?? 0) > 0;
}
