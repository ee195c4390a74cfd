import { readReleaseVersion } from '../../plan/release-version.ts';
import { scanOffered, scanReleased } from '../../published/scan.ts';
import type { PlanRow } from '../../report/report.ts';
import { requiredEvidence } from '../../tool-file/trust.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import { compareScans, type VulnerabilityChange } from '../../vulnerabilities/change.ts';
import type { Resolved } from './beta.ts';

/**
 * The plan row of a release to beta.
 * @throws ReleaseError VULN_DB_*, FEED_*
 */
export async function planRow(resolved: Resolved, toolkit: OpenToolkit): Promise<PlanRow> {
  const { tool, standing, version, found, does, why } = resolved;
  const vulnerabilities = await changeOf(resolved, toolkit);
  return {
    ...standing,
    from: standing.beta,
    to: version,
    source: `${found.kind}: ${found.upstream}`,
    sourceKind: found.kind,
    evidence: requiredEvidence(tool, found.kind, found.version),
    does,
    why,
    ...(vulnerabilities === undefined ? {} : { vulnerabilities }),
  };
}

/** Before the download only the tool's own module can be looked up; the rest follows with the exe. */
async function changeOf(resolved: Resolved, toolkit: OpenToolkit): Promise<VulnerabilityChange | undefined> {
  const { tool, found, does, standing } = resolved;
  const { scanner } = toolkit;
  if (scanner === undefined || does === 'nothing') return undefined;
  if (does === 'finish') {
    const scan = await scanReleased(tool, resolved.released, toolkit);
    return scan && compareScans('exe', await scanOffered('main', tool, toolkit), scan);
  }
  const main = readReleaseVersion(standing.main ?? '')?.upstream;
  const then = await scanner.scanModule(tool, found.version);
  return compareScans('module', main === undefined ? undefined : await scanner.scanModule(tool, main), then);
}
