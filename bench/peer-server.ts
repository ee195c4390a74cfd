/** Runs express-chocolatey-server with all packages of a folder; prints its address. Its own log goes nowhere. */
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import peer from 'express-chocolatey-server';

const dir = process.argv[2] ?? '.';
const print = process.stdout.write.bind(process.stdout);
// It logs every match with all fields, which is expensive, and logging to a terminal is not what we measure.
globalThis.console = { ...globalThis.console, log: () => undefined };

const app = express();
peer.configureRoutes(
  app,
  readdirSync(dir).map((file) => peer.readPackageMetadata(join(dir, file))),
);
const server = createServer(app).listen(0, '127.0.0.1', () => {
  print(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
