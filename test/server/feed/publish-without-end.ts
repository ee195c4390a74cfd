import { makeNupkg } from '../../kit/nupkg.ts';
import { openStorage } from './storage.ts';

/** A process to be killed: publishes into the folder it is given and writes each version once it is answered. */
async function publishWithoutEnd(dir: string): Promise<void> {
  const storage = await openStorage(dir);
  const publishers = [0, 1, 2, 3].map(async (publisher) => {
    for (let n = await storage.catalog.size(); ; n += 1) {
      const version = `${publisher}.${n}.0`;
      const { sha256 } = await storage.push(
        makeNupkg({ id: 'x', version, files: { 'tools/some.bin': Buffer.alloc(20_000, version) } }),
      );
      process.stdout.write(`${version} ${sha256}\n`);
    }
  });
  await Promise.all(publishers);
}

await publishWithoutEnd(process.argv[2] ?? '');
