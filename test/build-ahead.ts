import { constants, setPriority } from 'node:os';
import { buildCosign, buildCrane } from './kit/go-program.ts';
import { buildCollector } from './kit/otelcol.ts';

/**
 * Builds the programs by others that only slow tests use, in time of the processors that nobody else wants: `.ci/run` starts this before
 * the quick tests, many of which wait for something, and ends it after them. Go keeps each package that is compiled by then.
 */
setPriority(constants.priority.PRIORITY_LOW);
await buildCosign();
await buildCollector();
await buildCrane();
