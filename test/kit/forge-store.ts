import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, takeFault } from './forge-faults.ts';

export type ForgeAsset = {
  readonly name: string;
  readonly bytes: Buffer;
  /** GitHub states one since 2025-06; false is an older upload (null). A string is stated instead of the true one. */
  readonly digest?: boolean | string;
  /** What the API says instead of the true size. */
  readonly statedBytes?: number;
  /** An upload that has not ended. */
  readonly isOpen?: boolean;
  /** Several come one after the other. */
  readonly fault?: Fault | readonly Fault[];
};

/** The bytes of an asset, with Range, as an object store serves them, or as its fault says. */
export function serveObject(request: IncomingMessage, response: ServerResponse, asset: ForgeAsset): void {
  const fault = faultOf(asset);
  if (fault?.kind === 'status') {
    response.writeHead(fault.status, fault.headers).end();
    return;
  }
  if (fault?.kind === 'html') {
    response
      .writeHead(200, { 'content-type': fault.type ?? 'text/html' })
      .end('<!DOCTYPE html><title>Oops</title>');
    return;
  }
  const bytes = fault?.kind === 'bytes' ? fault.bytes : asset.bytes;
  const start =
    fault?.kind === 'no-range' ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start > 0 && start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const part = bytes.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': part.length,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  if (fault?.kind === 'hang') {
    response.write(part.subarray(0, fault.afterBytes ?? 0));
    return;
  }
  if (fault?.kind === 'cut') {
    response.write(part.subarray(0, fault.afterBytes), () => response.destroy());
    return;
  }
  response.end(part);
}

const left = new WeakMap<ForgeAsset, Fault[]>();

/** An asset's faults count down over the requests for it. */
function faultOf(asset: ForgeAsset): Fault | undefined {
  const faults = left.get(asset) ?? [asset.fault ?? []].flat().map((fault) => ({ ...fault }));
  left.set(asset, faults);
  return takeFault(faults);
}
