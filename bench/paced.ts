import { Agent, request } from 'node:http';

export type Latencies = {
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
};

const connections = 64;

/**
 * Sends this many requests a second, however long the answers take. Each is timed from the moment it was due, so time spent
 * waiting for a connection or a late client counts too.
 * @param next the n-th request: its whole URL
 */
export async function pace(
  next: (n: number) => string,
  perSecond: number,
  seconds: number,
): Promise<Latencies> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const took: number[] = [];
  let errors = 0;
  const began = performance.now();
  const total = Math.round(perSecond * seconds);
  const answers: Promise<void>[] = [];
  for (let n = 0; n < total; n++) {
    const due = began + (n * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    // A timer may be a millisecond early.
    const from = Math.min(due, performance.now());
    answers.push(
      get(next(n), agent).then((isGood) => {
        took.push(performance.now() - from);
        if (!isGood) errors += 1;
      }),
    );
  }
  await Promise.all(answers);
  agent.destroy();
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), errors };
}

function get(url: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    request(url, { agent }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode === 200));
    })
      .once('error', () => resolve(false))
      .end();
  });
}
