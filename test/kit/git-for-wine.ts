import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { goBuildsDir } from './go-builds.ts';
import { mustRun } from './programs.ts';

/**
 * Puts a `git.exe` onto the drive of a wine, which hands each call to the git of this machine: Git for Windows is in no registry. It
 * cannot run hooks, whose programs would be those of the drive, so nothing can be pushed.
 */
export async function installGitForWine(drive: string): Promise<{ close(): Promise<void> }> {
  // -trimpath: with what Go compiled for the product's own programs
  await mustRun('go', ['build', '-trimpath', '-o', join(drive, 'windows', 'git.exe'), '.'], {
    cwd: join(import.meta.dirname, 'git-for-wine'),
    env: { GOOS: 'windows', GOFLAGS: '', GOCACHE: goBuildsDir, CGO_ENABLED: '0' },
  });
  const server = createServer((socket) => serve(socket, drive));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await writeFile(join(drive, 'git-address.txt'), `127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

function serve(socket: Socket, drive: string): void {
  let git: ReturnType<typeof startGit> | undefined;
  let rest: Buffer = Buffer.alloc(0);
  const send = (kind: string, bytes: Buffer): void => {
    const head = Buffer.alloc(5);
    head.write(kind);
    head.writeUInt32BE(bytes.length, 1);
    socket.write(Buffer.concat([head, bytes]));
  };
  socket.on('error', () => git?.kill());
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const length = rest.readUInt32BE(1);
      const [kind, bytes] = [String.fromCharCode(rest[0] ?? 0), rest.subarray(5, 5 + length)];
      rest = rest.subarray(5 + length);
      if (kind === 'c') git = startGit(JSON.parse(bytes.toString('utf8')), drive, send);
      else if (bytes.length > 0) git?.stdin.write(bytes);
      else git?.stdin.end();
    }
  });
}

type Call = { readonly args: readonly string[]; readonly env: readonly string[]; readonly cwd: string };

function startGit({ args, env, cwd }: Call, drive: string, send: (kind: string, bytes: Buffer) => void) {
  const here = (text: string): string =>
    text.replace(/C:[\\/]([^\s"';]*)/gi, (_, path: string) => join(drive, ...path.split(/[\\/]/)));
  const forGit = env
    .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
    .filter(([name]) => /^(GIT_|PATH_INFO|REQUEST_|REMOTE_|QUERY_|CONTENT_|HTTP_)/.test(name));
  const child = spawn('git', args.map(here), {
    cwd: here(cwd),
    env: { ...process.env, ...Object.fromEntries(forGit.map(([name, value]) => [name, here(value)])) },
  });
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (bytes: Buffer) => send('o', bytes));
  child.stderr.on('data', (bytes: Buffer) => send('e', bytes));
  child.once('close', (code) => send('x', Buffer.from([code ?? 137])));
  return child;
}
