import { hash } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import { cachePolicies } from '../http/cache.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { sendText } from '../http/send-text.ts';
import { type InstallFacts, readInstallScript, renderCmd, renderPowerShell } from './render.ts';

export type InstallServices = {
  readonly config: { readonly readAuth?: InstallFacts['readAuth'] };
  readonly publicUrl: () => string;
  /** The folder that contains server/install/script. */
  readonly productDir: string;
};

/**
 * A client's first minute: /install.ps1 and /install.cmd with this server's addresses, and the SHA-256 of each. Open to all
 * (http/areas.ts): they contain addresses, and ask for a key but contain none.
 */
export function createInstallRouter({ config, publicUrl, productDir }: InstallServices): Router {
  const router = express.Router();
  async function render(): Promise<Readonly<Record<'install.ps1' | 'install.cmd', string>>> {
    const { ps1, cmd } = await readInstallScript(productDir);
    const facts = { publicUrl: publicUrl(), readAuth: config.readAuth };
    const script = renderPowerShell(ps1, facts);
    return { 'install.ps1': script, 'install.cmd': renderCmd(cmd, facts, script) };
  }
  for (const name of ['install.ps1', 'install.cmd'] as const) {
    router
      .route(`/${name}`)
      .get(async (req, res) => answer(req, res, (await render())[name]))
      .all(methodNotAllowed('GET, HEAD'));
    router
      .route(`/${name}.sha256`)
      .get(async (req, res) => answer(req, res, `${hash('sha256', (await render())[name])}\n`))
      .all(methodNotAllowed('GET, HEAD'));
  }
  return router;
}

/** Cached, but revalidated each time: another version of the server, or another address, makes another script. */
function answer(req: Request, res: Response, text: string): Promise<void> {
  const headers = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Cache-Control',
    cachePolicies(false).revalidate,
  ];
  return sendText(req, res, { headers, text });
}
