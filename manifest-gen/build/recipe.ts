import { inSpan } from '../../tracing/spans.ts';
import type { Fetched, Found, Rendered, Unpacked, Verdict } from '../release.ts';
import { has, orNameOthers } from '../sources/find-source.ts';
import type { Templates } from '../tool-file/templates.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { unpack } from '../unpack/unpack.ts';
import { demandedEvidence, requireTrust } from '../verify/verdict.ts';
import { verifyFetched, verifyUnpacked } from '../verify/verify.ts';
import { type Artifacts, artifactsOf } from './artifacts.ts';
import { packNupkg } from './nupkg-writer.ts';
import { renderRecord } from './render/release-record.ts';
import { renderRelease } from './render/render.ts';
import { scan } from './scan.ts';

export type Order = {
  readonly tool: Tool;
  readonly found: Found;
  readonly version: string;
  readonly templates: Templates;
  /** The recipe that packs it (render/packaging.ts). */
  readonly packaging: string;
};

/** Called before each step, by its name. */
type OnStep = (name: string) => void;
type Local = Pick<OpenToolkit, 'upstreams' | 'report' | 'cache'>;
type Verified = { readonly unpacked: Unpacked; readonly verdicts: readonly Verdict[] };

/** From an upstream release to a package, on this machine only. @throws ReleaseError SOURCE_UNREACHABLE, REFUSED, VULNERABLE */
export async function build(order: Order, toolkit: OpenToolkit, onStep: OnStep): Promise<Artifacts> {
  const rendered = await renderNew(order, toolkit, onStep);
  onStep('pack'); // the nupkg
  const nupkg = await packNupkg(rendered, toolkit.workDir, toolkit.signal, toolkit.packed);
  return artifactsOf(rendered, nupkg, toolkit.endpoints.addresses);
}

/** All of it that is not packed yet. Same errors. */
export async function renderNew(order: Order, toolkit: OpenToolkit, onStep: OnStep): Promise<Rendered> {
  const verified = await takeVerified(order.found, toolkit, onStep);
  onStep('scan'); // for known vulnerabilities, against the policy
  await scan(order, verified.unpacked, toolkit);
  onStep('render'); // record, nuspec, VERIFICATION, manifest
  return render(order, verified, toolkit);
}

/**
 * The first half, which needs no feed, so that a bundle is made by it too: it never has a release that would be refused.
 * @param isProved whether evidence that only the source can give is included as a proof
 * @throws ReleaseError SOURCE_UNREACHABLE; REFUSED when something failed, or required evidence is missing
 */
export async function takeVerified(
  found: Found,
  toolkit: Local,
  onStep: OnStep,
  isProved = false,
): Promise<Verified> {
  const { tool, version } = found;
  onStep('fetch'); // download, or build from the module; what the cache has is not fetched again
  let fetched = await inSpan('fetch', () => fetch(found, toolkit));
  if (isProved) {
    onStep('prove');
    const proofs = (await toolkit.upstreams[found.kind].prove?.(fetched)) ?? [];
    fetched = { ...fetched, sidecars: [...fetched.sidecars, ...proofs] };
  }
  onStep('verify'); // size, digest, checksum file, signature: what is already known to be wrong is not unpacked
  const ofFiles = await inSpan('verify', () => verifyFetched(fetched));
  requireTrust(tool.tool, version, ofFiles, []);
  onStep('unpack'); // the exe out of its archive
  const unpacked = await unpack(fetched, toolkit.cache);
  onStep('inspect'); // PE header, Go build info
  const verdicts = [...ofFiles, ...(await verifyUnpacked(unpacked))];
  onStep('judge'); // against the evidence that the tool file demands
  requireTrust(tool.tool, version, verdicts, demandedEvidence(fetched));
  // there may be several of one kind: the signature of a registry, and its attestation of a build
  const told = new Map(verdicts.map((one) => [`${one.verdict} ${one.kind} ${one.subject}`, one]));
  for (const { kind, verdict, subject } of told.values())
    toolkit.report.step(tool.tool, verdict, `${kind} of ${subject}`);
  return { unpacked, verdicts };
}

async function fetch(found: Found, { upstreams, report }: Local): Promise<Fetched> {
  const { tool, kind, version } = found;
  const others = tool.sources.map((source) => upstreams[source.kind]).filter((one) => one.kind !== kind);
  return orNameOthers(
    others,
    () => upstreams[kind].fetch(found, report),
    (other) => has(other, tool, version),
  );
}

function render(order: Order, { unpacked, verdicts }: Verified, toolkit: OpenToolkit): Promise<Rendered> {
  const { tool, templates, version, packaging } = order;
  const { fetched, exes } = unpacked;
  return renderRelease(renderRecord(unpacked, verdicts, version, packaging), {
    ...{ tool, templates, exes, addresses: toolkit.endpoints.addresses },
    // a text kept by hand is preferred to the module's, since a person has checked it
    licenseText: unpacked.licenseText ?? (templates.license === undefined ? fetched.licenseText : undefined),
    licenses: fetched.licenses,
    notesText: fetched.notesText,
  });
}
