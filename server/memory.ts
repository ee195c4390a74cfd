import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 grow its heap slowly, for the verbs that serve: otherwise it keeps 100 MB of garbage as long as the machine has
 * memory. Set by the program itself, since the scripts of package.json pass no flags to Node; V8 checks this one at each
 * collection. There is no limit, so nothing that worked before runs out of memory. A small space for new objects
 * (`--semi-space-growth-factor`) would save as much, but halve the speed of large downloads.
 */
export function keepMemorySmall(): void {
  setFlagsFromString('--optimize-for-size');
}
