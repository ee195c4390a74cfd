import { get } from 'node:https';
import { text } from 'node:stream/consumers';

/** /metrics of a server, whoever signed its certificate. */
export async function metricsPage(url: string, key?: string): Promise<string> {
  const headers: Record<string, string> = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  if (!url.startsWith('https:')) return (await fetch(`${url}/metrics`, { headers })).text();
  const answer = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    get(`${url}/metrics`, { headers, rejectUnauthorized: false, agent: false }, resolve).on('error', reject);
  });
  return text(answer);
}
