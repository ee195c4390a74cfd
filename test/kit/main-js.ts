import { join } from 'node:path';
import { productDir } from './test-server.ts';

/** The program as it is installed. test/build-dist.ts bundles it once a run; Node starts it in a third of the time that tsx takes. */
export const mainJs = join(productDir, 'dist', 'main.js');
