import { compareScans, type VulnerabilityChange } from '../../../vulnerabilities/change.ts';
import { scanOffered, scanReleased } from '../../build/scan.ts';
import { readReleaseVersion } from '../../plan/release-version.ts';
import type { PlanRow } from '../../report/report.ts';
import { moduleOf } from '../../tool-file/tools.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import type { Request } from '../run/request.ts';
import { type BetaDecision, decideBeta, type SourceOptions } from './beta-decision.ts';
import { originOfFound } from './release-state.ts';

export type BetaPlan = BetaDecision & { readonly row: PlanRow };

/** With what people are shown of it. @throws ReleaseError as `decideBeta`; VULN_DB_* */
export async function planBeta(
  request: Request,
  options: SourceOptions,
  toolkit: OpenToolkit,
): Promise<BetaPlan> {
  const decision = await decideBeta(request, options, toolkit);
  const { state, version: to, found, does, reason: why } = decision;
  const { source, evidence } = originOfFound(found);
  const vulnerabilities = await changeOf(decision, toolkit);
  const what = { from: state.beta, to, source, sourceKind: found.kind, evidence, does, why };
  return { ...decision, row: { ...state, ...what, vulnerabilities } };
}

/** Before the download only the tool's own module can be looked up; the rest follows with the exe. */
async function changeOf(
  decision: BetaDecision,
  toolkit: OpenToolkit,
): Promise<VulnerabilityChange | undefined> {
  const { tool, found, does, state } = decision;
  const { scanner } = toolkit;
  if (scanner === undefined || does === 'nothing') return undefined;
  if (does === 'finish') {
    const scan = await scanReleased(tool, decision.released, toolkit);
    return scan && compareScans('exe', await scanOffered(tool, toolkit), scan);
  }
  const main = readReleaseVersion(state.main ?? '')?.upstream;
  const then = await scanner.scanModule(moduleOf(tool, found.version));
  const now = main === undefined ? undefined : await scanner.scanModule(moduleOf(tool, main));
  return compareScans('module', now, then);
}
