/**
 * Preloaded into a process that must not call out (`node --import`): every dial and every name look-up fails, and
 * leaves a line in the file that NO_NETWORK_LOG names. NO_NETWORK_BUT is a port of this machine that may be dialled.
 */

import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

function refuse(what) {
  return (...args) => {
    const trace = new Error(what).stack;
    appendFileSync(process.env.NO_NETWORK_LOG, `${what} ${JSON.stringify(args[0]) ?? ''}\n${trace}\n`);
    throw new Error(`The test allows no outbound connection: ${what}`);
  };
}

// tls, http, https and fetch all end here.
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const { host, port, path } = [args[0]].flat()[0] ?? {};
  const { NO_NETWORK_BUT: but } = process.env;
  // tsx talks to itself over a socket of this machine
  const isLocal = path !== undefined || (host === '127.0.0.1' && String(port) === but);
  const isAllowed = but !== undefined && isLocal;
  return isAllowed ? connect.apply(this, args) : refuse('net.connect')(...args);
};
dgram.Socket.prototype.send = refuse('dgram.send');
dgram.Socket.prototype.connect = refuse('dgram.connect');
// listen() of a numeric address asks dns.lookup too, which answers those without asking anybody.
const lookup = dns.lookup;
dns.lookup = (host, ...rest) => (net.isIP(host) === 0 ? refuse('dns.lookup')(host) : lookup(host, ...rest));
for (const name of Object.keys(dns).filter((key) => /^(resolve|reverse)/.test(key))) {
  dns[name] = refuse(`dns.${name}`);
}
syncBuiltinESMExports();
