import type { ErrorTable } from './error-table.ts';

/** This machine: its programs, its disk, its cache. */
export const machineErrors = {
  SIGN_FAILED: [
    1,
    'The launcher could not be signed: {program} ended with exit code {exitCode}.',
    'Run SIGN_COMMAND by hand on an exe to see why; nothing was written.',
  ],
  MACHINE_FAILED: [
    1,
    '{tool}: a local operation failed: {cause}.',
    'Check that there is free space, and that CACHE_DIR and the folder for temporary files are writable.',
  ],
  CACHE_FOREIGN: [
    2,
    'CACHE_DIR {dir} cannot be emptied: expected a folder with nothing but the cache in it, found {found}.',
    'Nothing was removed. Correct CACHE_DIR, or remove by hand what is not needed.',
  ],
  CACHE_IN_USE: [
    1,
    'The cache {dir} is in use by process {pid}.',
    'Nothing was removed. Run it again when that process has ended.',
  ],
  CACHE_NOT_CLEANED: [
    1,
    'Not all of the cache could be removed: {path}: {cause} ({count} in all).',
    'The rest was removed. Close the programs that use it, and run it again.',
  ],
  PROGRAM_MISSING: [1, 'The program {program} is needed and was not found.', 'Install it and try again.'],
  PROGRAM_FAILED: [1, '{program} ended with code {exitCode}: {cause}', "See the program's message."],
  INTERRUPTED: [130, 'Interrupted: {state}.', 'Run the same command again; it goes on where it stopped.'],
} as const satisfies ErrorTable;
