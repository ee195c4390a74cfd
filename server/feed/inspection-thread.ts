/** The program of the thread that inspects packages (feed/inspector.ts). */
import { parentPort } from 'node:worker_threads';
import type { Nuspec } from '../../formats/nuspec.ts';
import { type Inspection, inspectHere } from './inspect.ts';
import { type Answer, type Call, sendError } from './inspection-calls.ts';

const inspections = new Map<number, Inspection>();

parentPort?.on('message', (call: Call) => {
  const { number } = call;
  const answer = (said: Answer): void => parentPort?.postMessage(said);
  perform(call)
    .then((nuspec) => answer({ number, nuspec }))
    .catch((error: unknown) => answer({ number, error: sendError(error) }));
});

async function perform(call: Call): Promise<Nuspec | undefined> {
  if (call.does === 'open') {
    const { content } = call;
    const inspection = await inspectHere(typeof content === 'string' ? content : Buffer.from(content.buffer));
    inspections.set(call.number, inspection);
    return inspection.nuspec;
  }
  const inspection = inspections.get(call.inspection);
  if (call.does === 'verify') await inspection?.verify();
  else {
    inspections.delete(call.inspection);
    await inspection?.close();
  }
  return undefined;
}
