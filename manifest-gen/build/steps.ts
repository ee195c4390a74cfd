import type { Fetched, Found, Packed, Rendered, Unpacked, Verdict } from '../release.ts';
import { has, orNameOthers } from '../sources/find-source.ts';
import type { Templates } from '../tool-file/templates.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { unpack as unpackAssets } from '../unpack/unpack.ts';
import { demandOn } from '../verify/demand.ts';
import { requireTrust } from '../verify/verdict.ts';
import { verifyFetched, verifyUnpacked } from '../verify/verify.ts';
import { packNupkg } from './pack/nupkg-writer.ts';
import { renderRecord } from './render/release-record.ts';
import { renderRelease } from './render/render.ts';

/** What is to be built. */
export type Order = {
  readonly tool: Tool;
  readonly found: Found;
  /** The package's version. */
  readonly version: string;
  readonly templates: Templates;
  /** The recipe that packs it (render/packaging.ts). */
  readonly packaging: string;
};

/** All that the steps before rendering need: no feed, no bucket, so that a bundle is made by them too. */
export type Chosen = Pick<Order, 'tool' | 'found'>;
type Local = Pick<OpenToolkit, 'upstreams' | 'report' | 'cache'>;

/** Downloads, or builds from the module; what the cache has is not fetched again. */
export async function fetch({ found }: Chosen, toolkit: Local): Promise<{ fetched: Fetched }> {
  const { tool, kind, version } = found;
  const upstream = toolkit.upstreams[kind];
  const others = tool.sources
    .map((source) => toolkit.upstreams[source.kind])
    .filter((one) => one !== upstream);
  const fetched = await orNameOthers(
    others,
    () => upstream.fetch(found, toolkit.report),
    (other) => has(other, tool, version),
  );
  return { fetched };
}

/** What is already known to be wrong is not unpacked. @throws ReleaseError REFUSED */
export async function verify(
  { found, fetched }: Chosen & { fetched: Fetched },
  _: Local,
): Promise<{ upstreamVerdicts: readonly Verdict[] }> {
  const upstreamVerdicts = await verifyFetched(fetched);
  requireTrust(found.tool.tool, found.version, upstreamVerdicts, []);
  return { upstreamVerdicts };
}

export async function unpack(
  { fetched }: { fetched: Fetched },
  toolkit: Local,
): Promise<{ unpacked: Unpacked }> {
  return { unpacked: await unpackAssets(fetched, toolkit.cache) };
}

/** Inspects the programs themselves. */
export async function inspect(
  { unpacked, upstreamVerdicts }: { unpacked: Unpacked; upstreamVerdicts: readonly Verdict[] },
  _: Local,
): Promise<{ verdicts: readonly Verdict[] }> {
  return { verdicts: [...upstreamVerdicts, ...(await verifyUnpacked(unpacked))] };
}

/** @throws ReleaseError REFUSED when something failed, or required evidence is missing */
export async function judge(
  { tool, found, unpacked, verdicts }: Chosen & { unpacked: Unpacked; verdicts: readonly Verdict[] },
  toolkit: Local,
): Promise<object> {
  requireTrust(tool.tool, found.version, verdicts, demandOn(unpacked.fetched));
  // there may be several of one kind: the signature of a registry, and its attestation of a build
  const told = new Map(
    verdicts.map(({ kind, verdict, subject }) => [
      `${verdict} ${kind} ${subject}`,
      { kind, verdict, subject },
    ]),
  );
  for (const { kind, verdict, subject } of told.values())
    toolkit.report.step(tool.tool, verdict, `${kind} of ${subject}`);
  return {};
}

export async function render(
  state: Order & { unpacked: Unpacked; verdicts: readonly Verdict[] },
  { endpoints }: OpenToolkit,
): Promise<{ rendered: Rendered }> {
  const { tool, templates, unpacked, verdicts, version, packaging } = state;
  const record = renderRecord(unpacked, verdicts, version, packaging);
  const { exes } = unpacked;
  // a text kept by hand is preferred to the module's, since a person has checked it
  const licenseText =
    unpacked.licenseText ?? (templates.license === undefined ? unpacked.fetched.licenseText : undefined);
  const { licenses, notesText } = unpacked.fetched;
  const inputs = { tool, templates, addresses: endpoints.addresses, exes, notesText };
  const rendered = await renderRelease(
    record,
    licenseText === undefined ? inputs : { ...inputs, licenseText },
  );
  return { rendered: licenses === undefined ? rendered : { ...rendered, licenses } };
}

export async function pack(
  { rendered }: { rendered: Rendered },
  { workDir, signal }: OpenToolkit,
): Promise<{ packed: Packed }> {
  return { packed: await packNupkg(rendered, workDir, signal) };
}
