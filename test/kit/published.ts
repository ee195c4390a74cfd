import { expect } from 'vitest';
import type { TestServer } from './test-server.ts';

/** The bytes at an address, which must have some. */
export async function download(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  expect(answer.status, url).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

/** Which versions a feed has of a package, unlisted ones too; sorted as texts. */
export async function versionsOn({ url }: Pick<TestServer, 'url'>, id: string): Promise<string[]> {
  const feed = await download(`${url}/nuget/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`);
  return [...feed.toString().matchAll(/<d:Version>([^<]+)</g)].map(([, version = '']) => version).sort();
}
