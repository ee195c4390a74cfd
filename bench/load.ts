import autocannon from 'autocannon';

export type Sample = { readonly perSecond: number; readonly errors: number };

/** Eight keep-alive connections that ask for the paths in turn. Anything but 2xx is an error. */
export async function measure(url: string, paths: readonly string[], seconds: number): Promise<Sample> {
  const result = await autocannon({
    url,
    connections: 8,
    duration: seconds,
    requests: paths.map((path) => ({ method: 'GET', path })),
  });
  return { perSecond: result['2xx'] / result.duration, errors: result.errors + result.non2xx };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
