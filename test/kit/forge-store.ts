import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ForgeAsset } from './forge.ts';
import { type Fault, takeFault } from './forge-faults.ts';

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
