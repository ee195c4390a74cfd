import { execFileSync } from 'node:child_process';

/** A packet of git's protocol with this in it. */
export function packet(content: string): Buffer {
  const bytes = Buffer.from(content, 'latin1');
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** What git's own client asks for when it pushes. */
export const capabilities = ' report-status side-band-64k object-format=sha1 agent=git/2.39.5';
export const zero = '0'.repeat(40);

/** The first command, with the capabilities on it, then others. */
export function commands(first: string, ...others: string[]): Buffer[] {
  return [packet(`${first}\0${capabilities}`), ...others.map(packet)];
}

/** A pack of all that `tips` have and `not` do not. */
export function packOf(dir: string, tips: readonly string[], not: readonly string[] = []): Buffer {
  const input = [...tips, ...not.map((oid) => `^${oid}`), ''].join('\n');
  return execFileSync('git', ['pack-objects', '--revs', '--stdout', '--quiet'], { cwd: dir, input });
}

/** A push as no git client would send it. */
export async function rawPush(
  address: string,
  key: string,
  packets: readonly Buffer[],
  pack: Buffer = Buffer.alloc(0),
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const body = Buffer.concat([...packets, Buffer.from('0000'), pack]);
  const answer = await fetch(`${address}/git-receive-pack`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: {
      'Content-Type': 'application/x-git-receive-pack-request',
      Authorization: `Bearer ${key}`,
      ...headers,
    },
  });
  return { status: answer.status, text: Buffer.from(await answer.arrayBuffer()).toString('latin1') };
}
