/**
 * The reference for a push: writes the body to a temporary file, fsyncs it, renames it, fsyncs the folder and inserts one row
 * with synchronous=FULL. It does not look into the body. Takes a folder and prints its address; with `files` as second argument
 * it inserts no row.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import Database from 'better-sqlite3';

const [dir = '.', kind] = process.argv.slice(2);
const files = join(dir, 'files');
await mkdir(files, { recursive: true });
const db = new Database(join(dir, 'rows.db'));
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('CREATE TABLE uploads (name TEXT PRIMARY KEY, size INTEGER NOT NULL)');
const insert = db.prepare('INSERT INTO uploads VALUES (?, ?)');
let count = 0;

const server = createServer(async (request, response) => {
  const name = String(count++);
  const temporary = join(dir, `${name}.tmp`);
  const file = createWriteStream(temporary, { flush: true });
  await pipeline(request, file);
  await rename(temporary, join(files, name));
  if (process.platform !== 'win32') {
    const folder = await open(files, 'r');
    await folder.sync();
    await folder.close();
  }
  if (kind !== 'files') insert.run(name, file.bytesWritten);
  response.writeHead(201, { 'Content-Length': 0 }).end();
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
