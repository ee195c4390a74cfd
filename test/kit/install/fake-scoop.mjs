// Stands for PowerShell that runs fake-scoop.ps1, and does the same in a tenth of the time.
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const words = process.argv.slice(2);
const at = words.indexOf('-File');
const script = words[at + 1] ?? '';
const before = words.slice(0, at).join(' ');
if (before !== '-NoProfile -NonInteractive -ExecutionPolicy Bypass')
  throw new Error(`not as scoop is run: ${before}`);
const args = words.slice(at + 2);
const root = join(dirname(script), '..', '..', '..', '..');
const leak = process.env.GO_WIN_TOOLS_KEY ? ' LEAK' : '';
appendFileSync(process.env.FAKE_LOG, `scoop ${args.join(' ')}${leak}\n`);
if (process.env.FAKE_SCOOP !== 'lazy') run();

function run() {
  const dir = join(root, 'buckets', args[2] ?? '');
  const shims = join(root, 'apps', 'go-win-shims');
  switch (args.slice(0, 2).join(' ')) {
    case 'bucket add':
      if (existsSync(dir)) process.stdout.write('WARN it exists\n');
      else
        try {
          execFileSync('git', ['clone', '-q', args[3], dir], { stdio: 'inherit' });
        } catch {
          // scoop ends with 0 whatever happened
        }
      break;
    case 'bucket rm':
      rmSync(dir, { recursive: true, force: true });
      break;
    case 'install go-win-tools/go-win-shims':
      mkdirSync(join(shims, 'current'), { recursive: true });
      break;
    case 'uninstall go-win-shims':
      rmSync(shims, { recursive: true, force: true });
      break;
  }
}
