import { digestFile } from '../../formats/digest.ts';
import { begin } from '../build/chain.ts';
import { partsOf, repack } from '../build/repack.ts';
import { payloads, push } from '../build/steps.ts';
import { fail } from '../errors.ts';
import type { Released } from '../published/released.ts';
import type { Packed } from '../release.ts';
import { type ProofManner, type Proven, prove, type Unproven } from '../reverify/prove.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { keepFiles } from './keep-files.ts';
import { publishManifest } from './manifest.ts';
import { payloadsToKeep } from './require-payloads.ts';

/** A beta that becomes stable. */
export type Ready = Unproven & {
  /** The stable package, when it is on the feed already. */
  readonly published: Released | undefined;
  /** Why, where that is to be remembered: in the commit and in the audit log. */
  readonly reason?: string | undefined;
};

export type StableOptions = ProofManner & { readonly dryRun?: boolean; readonly outDir?: string | undefined };

type Publication = {
  readonly packed: Packed;
  readonly reason?: string | undefined;
  /** The feed has exactly this package: only the rest is behind. */
  readonly isPushed?: boolean;
};

/** As for a beta: the feed first, git last. */
const outside = begin<Publication, OpenToolkit>()
  .step('payloads', payloads)
  .step('push', (state, toolkit) => (state.isPushed ? Promise.resolve({}) : push(state, toolkit)))
  .step('commit', commitStable); // beta, main and the tag in one push

/**
 * The stable package, here only: of a beta that has been proved, and no other way.
 * @throws ReleaseError PROMOTION_UNPROVEN, PROMOTION_NOT_REPEATED, OTHER_BYTES, FEED_*
 */
export async function prepareStable(
  ready: Ready,
  options: StableOptions,
  toolkit: OpenToolkit,
): Promise<Packed> {
  const { tool, stable, published } = ready;
  const proven = await prove(ready, options, toolkit);
  toolkit.report.step(tool.tool, 'repack', `${ready.beta.version} as ${stable}`);
  const { endpoints, workDir } = toolkit;
  const place = { endpoints, workDir, signal: toolkit.signal };
  const manifestTemplate = ready.templates.manifest;
  const pack = (of: Proven): Promise<Packed> =>
    repack(partsOf(tool, of, endpoints), { version: stable, manifestTemplate, ...place });
  let packed = await pack(proven);
  if (published !== undefined && !(await isSame(published, packed))) {
    // upstream may have edited its notes since an earlier run
    packed = await pack({ ...proven, nuspecAgain: undefined });
    await requireSame(published, packed);
  }
  if (options.outDir !== undefined) await keepPacked(options.outDir, packed, toolkit);
  return packed;
}

/** What an interrupted promotion left on the feed equals what this one would publish, or it is not ours. */
async function requireSame(published: Released, packed: Packed): Promise<void> {
  if (await isSame(published, packed)) return;
  const { rendered, nupkgDigest } = packed;
  const { sha256 } = await digestFile(published.nupkgPath);
  fail('OTHER_BYTES', {
    tool: rendered.tool.tool,
    version: rendered.packageVersion,
    file: 'the package on the feed',
    expected: `SHA-256 ${nupkgDigest.sha256} as its beta makes it`,
    found: sha256,
  });
}

async function isSame({ nupkgPath }: Released, { nupkgDigest }: Packed): Promise<boolean> {
  return (await digestFile(nupkgPath)).sha256 === nupkgDigest.sha256;
}

/** Package, manifest and record, and the payloads if somebody else uploads them. */
export async function keepPacked(
  outDir: string,
  { nupkgPath, rendered }: Packed,
  { endpoints }: OpenToolkit,
): Promise<void> {
  const { tool, packageVersion: version, manifestText, recordText } = rendered;
  const payloads = await payloadsToKeep(rendered, endpoints);
  await keepFiles(outDir, { tool: tool.tool, version, nupkgPath, manifestText, recordText, payloads });
}

/**
 * The same exes under the stable version, on the feed and on branches main and beta. What an earlier run has published is not sent twice.
 * @throws ReleaseError FEED_*, BUCKET_*
 */
export async function makeStable(publication: Publication, toolkit: OpenToolkit): Promise<void> {
  const { tool } = publication.packed.rendered;
  await outside.run(publication, toolkit, (step) => toolkit.report.step(tool.tool, step));
}

async function commitStable({ packed, reason }: Publication, toolkit: OpenToolkit): Promise<object> {
  const { tool, packageVersion: version, manifestText } = packed.rendered;
  const change = { tool: tool.tool, version, manifestText, note: reason };
  await publishManifest(toolkit.bucket, { ...change, branches: ['main', 'beta'] });
  toolkit.done.push(`manifest ${tool.tool} ${version} on branches main and beta`);
  return {};
}
