// node-gyp downloads Node's headers unless `nodedir` is set, so a machine that has a compiler
// but no internet could not build better-sqlite3. Every ordinary Node install brings the headers along.
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

const prefix = dirname(dirname(process.execPath));
if (existsSync(join(prefix, 'include', 'node', 'node.h'))) {
  process.env.npm_config_nodedir ??= prefix;
}

module.exports = {};
