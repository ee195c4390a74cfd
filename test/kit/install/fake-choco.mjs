// Stands for choco: keeps sources in chocolatey.config as choco does, writes down how it was called, and does what FAKE_CHOCO says.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const args = process.argv.slice(2);
const root = process.env.ChocolateyInstall;
const file = join(root, 'config', 'chocolatey.config');
const fake = process.env.FAKE_CHOCO ?? '';
const leaks = process.env.GO_WIN_TOOLS_KEY === undefined ? '' : ' LEAK';
appendFileSync(process.env.FAKE_LOG, `choco ${args.join(' ')}${leaks}\n`);

const option = (name) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const end = (code) => process.exit(code);
const nothing = () => end(fake === 'enhanced' ? 2 : 0);

if (fake === 'fails') {
  process.stderr.write('choco is broken today\n');
  end(1);
}
const blank =
  '<?xml version="1.0" encoding="utf-8"?>\n<chocolatey>\n  <sources>\n  </sources>\n</chocolatey>\n';
if (!existsSync(file)) writeFileSync(file, blank);
const before = readFileSync(file, 'utf8');
const lines = before.split('\n');
const own = (name) => lines.findIndex((line) => line.includes(`<source id="${name}"`));
function save() {
  writeFileSync(`${file}.backup`, before);
  writeFileSync(file, lines.join('\n'));
}

const [verb, what] = args;
if (verb === 'search') {
  const found = process.env.FAKE_FOUND?.split(',').filter((id) => id !== '') ?? [];
  for (const id of found) process.stdout.write(`${id}\n`);
  if (found.length === 0) nothing();
} else if (fake === 'lazy') end(0);
else if (verb === 'source') {
  const at = own(option('name'));
  const set = (is) => {
    if (at < 0) nothing();
    lines[at] = lines[at].replace(/disabled="\w+"/, `disabled="${is}"`);
    save();
  };
  if (what === 'add') {
    const line = `    <source id="${option('name')}" value="${option('source')}" disabled="false" priority="0" />`;
    if (at < 0) lines.splice(lines.indexOf('  </sources>'), 0, line);
    else lines[at] = line;
    save();
  } else if (what === 'remove') {
    if (at < 0) nothing();
    lines.splice(at, 1);
    save();
  } else if (what === 'enable') set('false');
  else if (what === 'disable') set('true');
} else if (verb === 'upgrade') {
  const dir = join(root, 'lib', what, 'tools');
  if (existsSync(dir)) nothing();
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'dlv.exe'), '');
} else if (verb === 'uninstall') rmSync(join(root, 'lib', what), { recursive: true, force: true });
