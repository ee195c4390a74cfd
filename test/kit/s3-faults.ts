import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type Listening, listen } from './listen.ts';

/**
 * What happens to a request: `cut` after so many bytes of its body have passed, `cutAnswer` after so many bytes of the answer;
 * `stallAnswer`: nothing more comes then, `silent`: no answer ever comes; a number: this status in place of an answer.
 */
export type S3Fault =
  | { readonly cut: number }
  | { readonly cutAnswer: number }
  | { readonly stallAnswer: number }
  | { readonly status: number }
  | 'silent'
  | undefined;

export type FaultyS3 = Listening & {
  /** Decides for each request: `PUT /bucket/key?partNumber=1`. */
  fault(decide: (line: string) => S3Fault): void;
  /** Every request, as it came. */
  readonly requests: string[];
};

/** A way to an S3 server on which requests meet faults. */
export async function startFaultyS3(endpoint: string): Promise<FaultyS3> {
  const { hostname, port } = new URL(endpoint);
  const requests: string[] = [];
  let decide: (line: string) => S3Fault = () => undefined;

  function forward(incoming: IncomingMessage, onAnswer: (answer: IncomingMessage) => void): ClientRequest {
    const { method, url, headers } = incoming;
    // With the name of the host as it came: it is signed.
    return request({ hostname, port, method, path: url, headers }, onAnswer);
  }

  const server = await listen((incoming: IncomingMessage, response: ServerResponse) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    const fault = decide(line);
    if (fault === 'silent') return;
    if (fault !== undefined && 'status' in fault) {
      incoming.resume().once('end', () => {
        response.writeHead(fault.status, { 'Content-Type': 'application/xml' });
        response.end(
          '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>a fault</Message></Error>',
        );
      });
      return;
    }
    const forwarded = forward(incoming, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (fault === undefined || 'cut' in fault) {
        answer.pipe(response);
        return;
      }
      let left = 'cutAnswer' in fault ? fault.cutAnswer : fault.stallAnswer;
      answer.on('data', (bytes: Buffer) => {
        response.write(bytes.subarray(0, Math.max(left, 0)));
        left -= bytes.length;
        // What was written before has to leave first.
        if (left <= 0 && 'cutAnswer' in fault) setTimeout(() => response.destroy(), 20);
      });
    });
    forwarded.on('error', () => response.destroy());
    if (fault === undefined || !('cut' in fault)) {
      incoming.pipe(forwarded);
      return;
    }
    let left = fault.cut;
    incoming.on('error', () => undefined);
    incoming.on('data', (bytes: Buffer) => {
      forwarded.write(bytes.subarray(0, Math.max(left, 0)));
      left -= bytes.length;
      if (left > 0) return;
      forwarded.destroy();
      response.destroy();
    });
  });
  return { ...server, requests, fault: (next) => (decide = next) };
}
