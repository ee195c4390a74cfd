import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 let its heap grow slowly, for the verbs that serve: it would let 100 MB of garbage lie as long as the machine
 * has room. Called by the program itself, since the scripts of package.json give Node no flags; V8 looks at this one each
 * time that it collects. No limit is set, so that nothing which fitted before ends for want of memory. A small space for
 * new objects (`--semi-space-growth-factor`) would save as much, and halves the speed of large downloads.
 */
export function keepMemorySmall(): void {
  setFlagsFromString('--optimize-for-size');
}
