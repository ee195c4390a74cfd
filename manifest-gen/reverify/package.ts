import { join } from 'node:path';
import { makeDir } from '../../formats/make-dir.ts';
import { packNupkg } from '../build/nupkg-writer.ts';
import type { PublishedPackage } from '../published/package.ts';
import type { Rendered } from '../release.ts';
import { packageIdOf } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { type Check, compare, compareTexts, skipped } from './check.ts';

/** Which part of the recipe is the one of today: another one makes other bytes, rightly. */
export type SameRecipe = {
  readonly isSamePacker: boolean;
  readonly areSameTemplates: boolean;
  /** False: it came with upstream's files, which were not requested. */
  readonly isLicenseKnown: boolean;
};

type Place = Pick<OpenToolkit, 'workDir' | 'packed'>;

/**
 * Renders every text of the package and the manifest again and compares it with the published one; then packs the package again
 * from its own parts: the same inputs give the same bytes (contract section 5), so no changed bit goes unnoticed.
 */
export async function comparePackage(
  published: PublishedPackage & { readonly manifestText: string | undefined },
  rendered: Rendered,
  same: SameRecipe,
  place: Place,
): Promise<readonly Check[]> {
  const { tool } = rendered;
  const other = "It was made by another recipe than today's.";
  const packed = same.isSamePacker ? undefined : other;
  const filled = same.areSameTemplates ? undefined : other;
  const bundled = same.isLicenseKnown ? filled : "It came with upstream's files, which were not fetched.";
  const nuspec = `${packageIdOf(tool)}.nuspec`;
  const texts: readonly Text[] = [
    ['package', 'tools/release.json', rendered.recordText, published.recordText, packed],
    ['package', 'tools/VERIFICATION.txt', rendered.verificationText, published.verificationText, packed],
    ['package', 'tools/LICENSE.txt', rendered.licenseText, published.licenseText, bundled],
    ['package', nuspec, rendered.nuspecText, published.nuspecText, filled],
    ['manifest', `${tool.tool}.json`, rendered.manifestText, published.manifestText, filled],
  ];
  return [...texts.flatMap(compareText), await comparePacked(published, rendered, same, place)];
}

/** `found` is undefined where there is nothing to compare with; `left` says why it is not compared. */
type Text = readonly [
  what: string,
  subject: string,
  expected: string,
  found: string | undefined,
  left: string | undefined,
];

function compareText([what, subject, expected, found, left]: Text): readonly Check[] {
  const about = { what, subject };
  if (found === undefined) return [];
  if (left !== undefined) return [skipped(about, left)];
  return [compareTexts(about, expected, found, 'Rendered again, it is the same.')];
}

async function comparePacked(
  published: PublishedPackage,
  rendered: Rendered,
  { isSamePacker }: SameRecipe,
  { workDir, packed: exes }: Place,
): Promise<Check> {
  const about = { what: 'package', subject: `${packageIdOf(rendered.tool)} ${rendered.packageVersion}` };
  if (!isSamePacker) return skipped(about, "It was packed in another way than today's.");
  const { path, digest } = published.exe;
  const asset = { architecture: 'amd64', name: 'the exe', path, digest } as const;
  const ownParts: Rendered = {
    ...rendered,
    recordText: published.recordText,
    nuspecText: published.nuspecText,
    verificationText: published.verificationText,
    licenseText: published.licenseText,
    exes: [{ asset, architecture: 'amd64', path, digest }],
  };
  const dir = join(workDir, 'packed-again');
  await makeDir(dir);
  const packed = await packNupkg(ownParts, dir, undefined, exes);
  const [again, found] = [packed.digest.sha256, published.digest.sha256];
  const detail = 'Packed again from its parts, it is the same, byte for byte.';
  return compare(about, `SHA-256 ${again}`, `SHA-256 ${found}`, detail);
}
