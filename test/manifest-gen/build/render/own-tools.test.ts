import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReleaseRecord } from '../../../../formats/release-record.ts';
import { renderRelease } from '../../../../manifest-gen/build/render/render.ts';
import { loadTemplates } from '../../../../manifest-gen/tool-file/templates.ts';
import { loadTools } from '../../../kit/load-tools.ts';
import { gadgetAddresses } from '../../../kit/rendered.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const tools = await loadTools(join(root, 'manifest-gen', 'tools'));

describe('the templates of our own tools', () => {
  it.each(tools.map((tool) => [tool.tool, tool] as const))(
    'make a package and a manifest of %s',
    async (name, tool) => {
      const { first: version = 'none' } = tool;
      const record: ReleaseRecord = {
        schema: 1,
        tool: name,
        version: `${version}-beta.1`,
        packaging: '1:test',
        builtBy: 'upstream',
        source: { kind: 'github', upstream: 'example', version, fingerprint: '0'.repeat(64) },
        payloads: (['amd64', 'arm64'] as const).map((architecture, index) => ({
          architecture,
          file: `${tool.command}-windows-${architecture}.exe`,
          size: 1,
          sha256: String(index).repeat(64),
          sha512: String(index).repeat(128),
        })),
        evidence: [],
      };

      const templates = await loadTemplates({ productDir: root, toolsDir: undefined }, tool);
      const rendered = await renderRelease(record, { tool, templates, addresses: gadgetAddresses, exes: [] });

      await expect(rendered.nuspecText).toMatchFileSnapshot(`../../../golden/manifest-gen/${name}.nuspec`);
      await expect(rendered.manifestText).toMatchFileSnapshot(
        `../../../golden/manifest-gen/${name}.scoop.json`,
      );
      expect(rendered.licenseText).toMatch(/MIT|Apache/);
    },
  );

  it('are the same in a Windows checkout', async () => {
    const tool = tools.find(({ tool }) => tool === 'delve')!;
    const windows = await mkdtemp(join(tmpdir(), 'checkout-'));
    for (const path of [
      'nuspecs/delve/delve.nuspec',
      'nuspecs/delve/LICENSE.txt',
      'buckets/go-win-tools/delve.json',
    ]) {
      const text = await readFile(join(root, path), 'utf8');
      await mkdir(dirname(join(windows, path)), { recursive: true });
      await writeFile(join(windows, path), text.replace(/\r?\n/g, '\r\n'));
    }

    const { nuspecFile: _, ...here } = await loadTemplates({ productDir: root, toolsDir: undefined }, tool);
    expect(await loadTemplates({ productDir: windows, toolsDir: undefined }, tool)).toMatchObject(here);
  });

  it('are reported by name when they are missing', async () => {
    const [tool] = tools;

    await expect(
      loadTemplates({ productDir: join(root, 'no-such-folder'), toolsDir: undefined }, tool!),
    ).rejects.toMatchObject({
      code: 'TOOL_FILE_INVALID',
    });
  });
});
