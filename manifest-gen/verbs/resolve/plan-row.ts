import { readCar } from '../../plan/release-version.ts';
import { lookAtOffer, lookAtReleased } from '../../published/scan.ts';
import type { PlanRow } from '../../report/report.ts';
import { requiredEvidence } from '../../tool-file/trust.ts';
import { compareLooks, type VulnerabilityChange } from '../../vulnerabilities/change.ts';
import type { Context } from '../run/context.ts';
import type { Resolved } from './beta.ts';

/** What the plan says of a release to beta. @throws ReleaseError VULN_DB_*, FEED_* */
export async function planRow(resolved: Resolved, context: Context): Promise<PlanRow> {
  const { tool, standing, version, found, does, why } = resolved;
  const vulnerabilities = await changeOf(resolved, context);
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

/** Before anything is downloaded no more can be said than what is known of the tool's own module; the rest follows when the exe is there. */
async function changeOf(resolved: Resolved, context: Context): Promise<VulnerabilityChange | undefined> {
  const { tool, found, does, standing } = resolved;
  const { watch } = context;
  if (watch === undefined || does === 'nothing') return undefined;
  if (does === 'finish') {
    const look = await lookAtReleased(tool, resolved.released, context);
    return look && compareLooks('exe', await lookAtOffer('main', tool, context), look);
  }
  const main = readCar(standing.main ?? '')?.upstream;
  const then = await watch.lookAtModule(tool, found.version);
  return compareLooks('module', main === undefined ? undefined : await watch.lookAtModule(tool, main), then);
}
