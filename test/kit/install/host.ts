import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type PowerShellJob = { readonly env: NodeJS.ProcessEnv; readonly cwd: string };
type Host = { readonly socket: Socket; readonly lines: AsyncIterator<string> };

let host: Promise<Host> | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Runs driver.ps1 in the one PowerShell of this worker, after what that runs already; answers with what went wrong there. */
export function runInPowerShell(job: PowerShellJob): Promise<string> {
  const answer = last.then(() => ask(job));
  last = answer.catch(() => undefined);
  return answer;
}

async function ask({ env, cwd }: PowerShellJob): Promise<string> {
  host ??= start();
  const { socket, lines } = await host;
  socket.write(`${JSON.stringify({ cwd, env: { ...process.env, ...env } })}\n`);
  const { value, done } = await lines.next();
  if (done !== true) return value;
  host = undefined;
  throw new Error('PowerShell ended before its script did');
}

async function start(): Promise<Host> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const kit = import.meta.dirname;
  const args = ['-NoProfile', '-NonInteractive', '-File', join(kit, 'host.ps1')];
  const child = spawn('pwsh', [...args, `${port}`, join(kit, 'driver.ps1')], {
    // What PowerShell keeps for itself belongs to no machine of a test.
    env: { ...process.env, HOME: tmpdir() },
    stdio: 'ignore',
  });
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  // The worker need not wait for it: PowerShell ends with the connection.
  child.unref();
  socket.unref();
  return { socket, lines: createInterface({ input: socket })[Symbol.asyncIterator]() };
}
