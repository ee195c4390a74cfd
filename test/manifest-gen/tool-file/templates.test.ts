import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readNuspec } from '../../../formats/nuspec.ts';
import { renderNuspec } from '../../../manifest-gen/build/render/nuspec.ts';
import { loadTemplates } from '../../../manifest-gen/tool-file/templates.ts';
import type { Tool } from '../../../manifest-gen/tool-file/tools.ts';
import { makeTool } from '../../kit/release-values.ts';
import { gadgetTemplates } from '../../kit/rendered.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';
import { failureOf } from '../../kit/upstream-fixture.ts';

const described: NonNullable<Tool['package']> = {
  summary: 'Turns widgets & gears',
  authors: 'Example',
  license: 'BSD-3-Clause',
  licenseUrl: 'https://example.test/gadget/blob/v{version}/LICENSE',
  projectUrl: 'https://example.test/gadget',
};
const version = { upstream: '1.2.3', package: '1.2.3-beta.1' };
let toolsDir: string;
beforeEach(async () => {
  toolsDir = await makeTempDir();
});
afterEach(() => rm(toolsDir, { recursive: true, force: true }));

function load(tool: Tool) {
  return loadTemplates({ productDir, toolsDir }, tool);
}

describe('the templates of a tool that is one YAML', () => {
  it('are made from its package section', async () => {
    const tool = makeTool({ packageId: 'bank-gadget', package: described });

    const templates = await load(tool);

    await expect(await renderNuspec(templates, tool, version)).toMatchFileSnapshot(
      '../../golden/manifest-gen/described.nuspec',
    );
    expect(JSON.parse(templates.manifest)).toEqual({
      description: 'Turns widgets & gears',
      homepage: 'https://example.test/gadget',
      license: 'BSD-3-Clause',
    });
    expect(templates.license).toBeUndefined();
  });

  it('contain everything in the section', async () => {
    const tool = makeTool({
      package: {
        ...described,
        title: 'Gadget',
        description: 'Turns widgets, whichever way they go.',
        owners: 'Bank',
        copyright: 'Copyright Example',
        tags: ['widgets', 'cli'],
        notes: 'Turn left first.',
        releaseNotes: 'https://example.test/gadget/releases/v{version}',
        docsUrl: 'https://docs.example.test',
      },
    });

    const templates = await load(tool);

    expect(await readNuspec(await renderNuspec(templates, tool, version))).toMatchObject({
      id: 'gadget',
      version: '1.2.3-beta.1',
      title: 'Gadget',
      owners: 'Bank',
      description: expect.stringMatching(/^Turns widgets, whichever way they go\.\n\nThis package holds/),
      tags: ['widgets', 'cli'],
      releaseNotes: 'https://example.test/gadget/releases/v1.2.3',
      licenseUrl: 'https://example.test/gadget/blob/v1.2.3/LICENSE',
    });
    expect(JSON.parse(templates.manifest)).toMatchObject({ notes: 'Turn left first.' });
  });

  it('are each replaced by a file next to the YAML', async () => {
    const tool = makeTool({ package: described });
    await writeFile(join(toolsDir, 'gadget.nuspec'), gadgetTemplates.nuspec.replaceAll('\n', '\r\n'));
    await writeFile(join(toolsDir, 'gadget.LICENSE.txt'), 'Ours.\n');

    expect(await load(tool)).toMatchObject({
      nuspec: gadgetTemplates.nuspec,
      nuspecFile: join(toolsDir, 'gadget.nuspec'),
      manifest: expect.stringContaining('BSD-3-Clause'),
      license: 'Ours.\n',
    });
  });

  it("need neither file nor section for a tool that the product knows, and the section wins over the product's", async () => {
    const known = makeTool({ tool: 'delve' });

    expect((await load(known)).nuspec).toContain('Derek Parker');
    const own = await load({ ...known, package: described });
    expect(own.nuspec).not.toContain('Derek Parker');
    expect(own.license).toBeUndefined();
  });

  it('are reported as missing with advice', async () => {
    expect(await failureOf(load(makeTool()))).toMatchObject({
      code: 'TOOL_FILE_INVALID',
      exitCode: 2,
      message: expect.stringContaining('a section package: in gadget.yaml replaces it'),
    });
  });

  it('are refused with file, field and rule', async () => {
    const tool = makeTool({
      package: { ...described, authors: 'Ann <ann@example.test>', title: 'x'.repeat(300) },
    });

    expect(await failureOf(renderNuspec(await load(tool), tool, version))).toMatchObject({
      code: 'TOOL_FILE_INVALID',
      exitCode: 2,
      message: expect.stringMatching(
        /^gadget\.yaml \(package\) .*authors contains no e-mail address \(CPMR0020\); title has at most 256 characters, not 300/,
      ),
    });
  });
});
