import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';

/** The schema files that CycloneDX publishes, as they come with its library. */
export async function cycloneDxSchema(version: string) {
  const require = createRequire(import.meta.url);
  const dir = join(dirname(require.resolve('@cyclonedx/cyclonedx-library/package.json')), 'res', 'schema');
  const read = async (name: string) => JSON.parse(await readFile(join(dir, name), 'utf8')) as { $id: string };
  const ajv = new Ajv({ strict: false, validateFormats: true });
  addFormats.default(ajv);
  for (const name of ['iri-reference', 'idn-email']) ajv.addFormat(name, true);
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
    const file = `${name}.SNAPSHOT.schema.json`;
    // named by its file, relative to the schema that refers to it
    ajv.addSchema({ ...(await read(file)), $id: `http://cyclonedx.org/schema/${file}` });
  }
  return ajv.compile(await read(`bom-${version}.SNAPSHOT.schema.json`));
}
