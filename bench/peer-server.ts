/** express-chocolatey-server with all packages of a folder; prints its address. Its own chatter goes nowhere. */
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import peer from 'express-chocolatey-server';

const dir = process.argv[2] ?? '.';
const print = process.stdout.write.bind(process.stdout);
// It logs every match with all its fields; that costs it much, and a log on a terminal is not what is measured here.
globalThis.console = { ...globalThis.console, log: () => undefined };

const app = express();
peer.configureRoutes(
  app,
  readdirSync(dir).map((file) => peer.readPackageMetadata(join(dir, file))),
);
const server = createServer(app).listen(0, '127.0.0.1', () => {
  print(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
