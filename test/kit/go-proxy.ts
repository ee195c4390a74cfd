import AdmZip from 'adm-zip';
import { listen } from './listen.ts';
import type { SumDatabase } from './sumdb.ts';

export type GoModuleFiles = {
  readonly path: string;
  /** `v1.0.0` */
  readonly version: string;
  /** Path -> text; go.mod is among them. */
  readonly files: Readonly<Record<string, string>>;
};
export type GoProxy = {
  readonly url: string;
  /** Go's settings for it. Without a checksum database that is off. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

/** A small true Go module proxy (go.dev/ref/mod#goproxy-protocol), for the real go command; it passes on what a checksum database says. */
export async function startGoProxy(
  modules: readonly GoModuleFiles[],
  database?: SumDatabase,
): Promise<GoProxy> {
  const answers = new Map<string, string | Buffer>();
  for (const { path, version, files } of modules) {
    const base = `/${path.replace(/[A-Z]/g, (capital) => `!${capital.toLowerCase()}`)}/@v`;
    const zip = new AdmZip();
    for (const [name, text] of Object.entries(files))
      zip.addFile(`${path}@${version}/${name}`, Buffer.from(text));
    answers.set(`${base}/list`, `${answers.get(`${base}/list`) ?? ''}${version}\n`);
    answers.set(
      `${base}/${version}.info`,
      JSON.stringify({ Version: version, Time: '2026-02-03T04:05:06Z' }),
    );
    answers.set(`${base}/${version}.mod`, files['go.mod'] ?? '');
    answers.set(`${base}/${version}.zip`, zip.toBuffer());
  }
  const server = await listen((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const answer = answers.get(path) ?? (database && ofDatabase(database, path));
    if (answer === undefined) response.writeHead(404).end('not found');
    else response.writeHead(200).end(answer);
  });
  return {
    url: server.url,
    env: {
      GOPROXY: server.url,
      GOSUMDB: database?.setting ?? 'off',
      GONOSUMDB: '',
      GOPRIVATE: '',
      GONOPROXY: '',
    },
    stop: server.stop,
  };
}

function ofDatabase(database: SumDatabase, path: string): string | Buffer | undefined {
  const base = `/sumdb/${database.name}`;
  if (path === `${base}/supported`) return '';
  return path.startsWith(base) ? database.answer(path.slice(base.length)) : undefined;
}
