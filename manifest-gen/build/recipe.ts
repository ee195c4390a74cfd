import type { OpenToolkit } from '../toolkit.ts';
import { begin } from './chain.ts';
import { scan } from './scan.ts';
import { fetch, inspect, judge, type Order, pack, render, unpack, verify } from './steps.ts';

/** From an upstream release to a package, on this machine only. */
export const recipe = begin<Order, OpenToolkit>()
  .step('fetch', fetch) // download, or build from the module
  .step('verify', verify) // size, digest, checksum file, signature
  .step('unpack', unpack) // the exe out of its archive
  .step('inspect', inspect) // PE header, Go build info
  .step('judge', judge) // against the evidence that the tool file demands
  .step('scan', scan) // for known vulnerabilities, against the policy
  .step('render', render) // record, nuspec, VERIFICATION, manifest
  .step('pack', pack); // the nupkg
