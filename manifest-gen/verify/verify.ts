import { basename } from 'node:path';
import type { Fetched, Unpacked, Verdict } from '../release.ts';
import { payloadFile } from '../tool-file/payload-place.ts';
import { checkAttestations } from './attestation.ts';
import { checkAuthenticode } from './authenticode.ts';
import { checkBuildInfo } from './buildinfo.ts';
import { asBundled } from './bundled.ts';
import { checkChecksumFile } from './checksum-file.ts';
import { checkDigest } from './digest.ts';
import { checkMinisign } from './minisign-sidecar.ts';
import { checkPe } from './pe.ts';
import { checkProvenance } from './provenance.ts';
import { sidecarName } from './sidecar-name.ts';
import { checkSigstore } from './sigstore.ts';
import { checkSumdb } from './sumdb.ts';

/** What came from upstream, before anything is unpacked. Verdicts only: verdict.ts decides what they mean. */
const checksOfFetched: readonly Check<Fetched>[] = [
  // the forge's own size and digest; a file that was built here has neither
  ({ assets }) => assets.filter(({ goModule }) => goModule === undefined).map(checkDigest),
  // checksums.txt, sha256.txt
  checkAgainstChecksumFile,
  // sha256.txt.minisig
  checkMinisign,
  // checksums.txt.sigstore.json; checksums.txt.sig and .pem
  checkSigstore,
  // the forge's attestations of each file
  checkAttestations,
  // what an npm registry signs and attests
  checkProvenance,
  // one module, however many exes were built from it
  checkSumdb,
];

/** The programs themselves. */
const checksOfUnpacked: readonly Check<Unpacked>[] = [
  ({ fetched, exes }) => exes.map((exe) => checkPe(fetched.found.tool, exe)),
  ({ fetched, exes }) => exes.map((exe) => checkBuildInfo(fetched.found, exe)),
  // nobody signs what is built here
  ({ fetched, exes }, now) =>
    exes
      .filter(({ asset }) => asset.goModule === undefined)
      .map((exe) => checkAuthenticode(fetched.found.tool, exe, now)),
];

type Check<T> = (subject: T, now: Date) => readonly (Verdict | Promise<Verdict>)[];

export async function verifyFetched(fetched: Fetched): Promise<readonly Verdict[]> {
  const verdicts = await Promise.all(checksOfFetched.flatMap((check) => check(fetched, new Date())));
  return verdicts.map((verdict) => asBundled(fetched.found, verdict));
}

/** @param now counts for an Authenticode signature without a timestamp, which ends with its certificate */
export async function verifyUnpacked(unpacked: Unpacked, now = new Date()): Promise<readonly Verdict[]> {
  const verdicts = await Promise.all(checksOfUnpacked.flatMap((check) => check(unpacked, now)));
  return verdicts.map((verdict) => withUpstreamName(unpacked, verdict));
}

/** To ask upstream about a file, a person needs upstream's name for it: `dlv.exe in dlv_1.26.2_windows_amd64.zip`. */
function withUpstreamName({ fetched: { found }, exes }: Unpacked, verdict: Verdict): Verdict {
  const exe = exes.find(({ architecture }) => payloadFile(found.tool, architecture) === verdict.subject);
  if (exe === undefined || exe.asset.goModule !== undefined || verdict.verdict === 'passed') return verdict;
  const { asset, path } = exe;
  return { ...verdict, file: path === asset.path ? asset.name : `${basename(path)} in ${asset.name}` };
}

/** Silent for a source whose tool file names no checksum file; `absent` when it names one and upstream has none. */
function checkAgainstChecksumFile({ found, assets, sidecars }: Fetched): readonly Verdict[] {
  const name = sidecarName(found, 'checksums');
  if (name === undefined) return [];
  const file = sidecars.find((one) => one.name === name);
  if (file !== undefined) return assets.map((asset) => checkChecksumFile(file, asset));
  const detail = `There is no ${name} beside the file.`;
  return assets.map((asset) => ({ kind: 'checksum', verdict: 'absent', subject: asset.name, detail }));
}
