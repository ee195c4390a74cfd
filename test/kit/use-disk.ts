import { tmpdir } from 'node:os';
import { afterAll } from 'vitest';

/** Where the run keeps temporary files: in memory, if there is enough of it (test/own-temp.ts). */
export const usualTemp = process.env.GO_WIN_TOOLS_TEST_TEMP ?? tmpdir();

/** For a file of tests that makes files of gigabytes: its temporary files go onto the disk, also those of programs that it starts. */
export function useDisk(): void {
  const { GO_WIN_TOOLS_TEST_DISK: disk = usualTemp } = process.env;
  setTemp(disk);
  afterAll(() => setTemp(usualTemp));
}

function setTemp(dir: string): void {
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = dir;
}
