import type { Feed } from '../feed.ts';
import { demand } from '../verdict.ts';
import { type Answer, statusLine } from '../wire/answer.ts';

/** As choco 0.10.15 asks; HTTP/1.0 has no chunks (spec nuget-v2 18.2). @throws Violation */
export async function askHttp10(feed: Feed, path: string): Promise<Answer> {
  const answer = await feed.askHttp10(path);
  demand(answer.status === 200, answer, 'status 200', statusLine(answer));
  const encoding = answer.headers['transfer-encoding'];
  demand(encoding === undefined, answer, 'no chunks', `Transfer-Encoding: ${encoding}`);
  return answer;
}
