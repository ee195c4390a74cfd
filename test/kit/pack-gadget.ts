import { packNupkg } from '../../manifest-gen/build/nupkg-writer.ts';
import { makeRendered } from './rendered.ts';

/** A program of its own, for other Nodes, time zones and folders: packs the small release into argv[2], prints its digest. */
const [, , dir = '.'] = process.argv;
const { digest } = await packNupkg(await makeRendered(), dir);
process.stdout.write(digest.sha256);
