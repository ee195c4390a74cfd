import type { Packed } from '../release.ts';
import type { OpenToolkit } from '../toolkit.ts';
import type { Resolved } from '../verbs/resolve/beta.ts';
import { begin } from './chain.ts';
import {
  commit,
  fetch,
  inspect,
  judge,
  pack,
  payloads,
  push,
  render,
  scan,
  unpack,
  verify,
} from './steps.ts';

/** The recipe. `resolve` and the plan come before it; a dry run ends between its halves. */
export const recipe = {
  /** On this machine only. */
  local: begin<Resolved, OpenToolkit>()
    .step('fetch', fetch) // download, or build from the module
    .step('verify', verify) // size, digest, checksum file, signature
    .step('unpack', unpack) // the exe out of its archive
    .step('inspect', inspect) // PE header, Go build info
    .step('judge', judge) // against the evidence that the tool file demands
    .step('scan', scan) // for known vulnerabilities, against the policy
    .step('render', render) // record, nuspec, VERIFICATION, manifest
    .step('pack', pack), // the nupkg
  /** Feed first, git last: a manifest never promises what the feed cannot give. */
  outside: begin<{ readonly packed: Packed }, OpenToolkit>()
    .step('payloads', payloads) // what Scoop downloads
    .step('push', push) // what choco and nuget install
    .step('commit', commit), // branch beta
};
