/**
 * `bare` or `express`: answers /N with N bytes from memory, and prints its address. `bare FILE` also answers /file with that
 * file, streamed from disk in the usual way.
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';

const [kind, file] = process.argv.slice(2);
const bodies = new Map<string, Buffer>();

function bodyOf(path: string): Buffer {
  const known = bodies.get(path);
  if (known !== undefined) {
    return known;
  }
  const body = Buffer.alloc(Number(path.slice(1)), 'x');
  bodies.set(path, body);
  return body;
}

const bare = createServer((request, response) => {
  if (request.url === '/file' && file !== undefined) {
    response.writeHead(200, { 'Content-Type': 'application/zip', 'Content-Length': statSync(file).size });
    createReadStream(file).pipe(response);
    return;
  }
  const body = bodyOf(request.url ?? '/0');
  response
    .writeHead(200, { 'Content-Type': 'application/atom+xml;charset=utf-8', 'Content-Length': body.length })
    .end(body);
});

const app = express().get('/:bytes', (request, response) => {
  response.type('application/atom+xml').send(bodyOf(request.path));
});

const server = kind === 'express' ? createServer(app) : bare;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
