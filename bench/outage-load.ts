import { adminKey, pushNupkg } from '../test/kit/test-server.ts';
import { type BenchPackage, makeNupkg } from './packages.ts';
import { exactly, findById } from './rows.ts';

export type OutageLoad = {
  /** Resolves when all requests have their answers. */
  end(): Promise<{
    /** What got a 201. */
    readonly confirmed: readonly BenchPackage[];
    /** When the requests began that ended in anything but a success. */
    readonly failures: readonly number[];
  }>;
};

let loads = 0;

/** Clients that go on after a failure, as others behind them would: each sends one request after the other. */
export function startOutageLoad(
  url: string,
  { pushers, readers }: { readonly pushers: number; readonly readers: number },
): OutageLoad {
  const number = loads++;
  const confirmed: BenchPackage[] = [];
  const failures: number[] = [];
  let isEnding = false;

  async function repeat(request: (count: number) => Promise<boolean>): Promise<void> {
    for (let count = 0; !isEnding; count += 1) {
      const begun = performance.now();
      if (!(await request(count).catch(() => false))) failures.push(begun);
    }
  }
  async function push(client: number, count: number): Promise<boolean> {
    const pkg = { id: `load-${number}-${client}`, version: `1.${count}.0` };
    const isPushed = (await answered(pushNupkg({ url }, makeNupkg(pkg), adminKey))).status === 201;
    if (isPushed) confirmed.push(pkg);
    return isPushed;
  }
  async function read(count: number): Promise<boolean> {
    const pkg = confirmed[(count * 7) % Math.max(1, confirmed.length)];
    if (pkg === undefined) return (await answered(fetch(`${url}/v3/index.json`))).status === 200;
    const { id, version } = pkg;
    const paths = [exactly('/nuget', pkg), findById('/nuget', id), `/nuget/package/${id}/${version}`];
    return (await answered(fetch(`${url}${paths[count % paths.length]}`))).status === 200;
  }

  const clients = [
    ...Array.from({ length: pushers }, (_, client) => repeat((count) => push(client, count))),
    ...Array.from({ length: readers }, () => repeat(read)),
  ];
  return {
    async end() {
      isEnding = true;
      await Promise.all(clients);
      return { confirmed, failures };
    },
  };
}

/** With its whole body. */
async function answered(asking: Promise<Response>): Promise<Response> {
  const answer = await asking;
  await answer.arrayBuffer();
  return answer;
}
