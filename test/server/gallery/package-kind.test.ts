import { describe, expect, it } from 'vitest';
import { kindOf, kindOfFiles } from '../../../server/gallery/package-kind.ts';

describe('what a package is made for', () => {
  it.each([
    { kind: 'program', files: ['tools/dlv.exe', 'tools/LICENSE.txt'] },
    { kind: 'program', files: [] },
    { kind: 'program', files: ['libs/x.dll', 'tools/lib/net8.0/x.dll'] },
    { kind: 'library', files: ['lib/net8.0/x.dll'] },
    { kind: 'library', files: ['Lib/netstandard2.0/_._', 'README.md'] },
    { kind: 'library', files: ['buildTransitive/x.targets', 'tools/windows_x64/protoc.exe'] },
    { kind: 'library', files: ['analyzers/dotnet/cs/x.dll', 'tools/install.ps1'] },
    { kind: 'program', files: ['lib/net48/x.dll', 'tools/chocolateyInstall.ps1'] },
    { kind: 'dotnet-tool', files: ['tools/net8.0/any/DotnetToolSettings.xml', 'tools/net8.0/any/x.dll'] },
    { kind: 'template', files: ['content/app/.template.config/template.json'] },
  ])('is $kind by the files $files', ({ kind, files }) => {
    expect(kindOfFiles(files)).toBe(kind);
  });

  it.each(['PSModule', 'PSScript', 'psmodule'])(
    'is of PowerShell by the tag %s, whatever its files are',
    (tag) => {
      expect(kindOf({ tags: ['network', tag] }, 'library')).toBe('powershell');
    },
  );

  it.each([
    { kind: 'dotnet-tool', packageTypes: [{ name: 'DotnetTool' }] },
    { kind: 'template', packageTypes: [{ name: 'template' }] },
    { kind: 'library', packageTypes: [{ name: 'Other' }, { name: 'Dependency' }] },
    { kind: 'program', packageTypes: [{ name: 'Other' }, { name: 'constructor' }] },
  ])('is $kind by the types $packageTypes', ({ kind, packageTypes }) => {
    expect(kindOf({ tags: [], packageTypes }, undefined)).toBe(kind);
  });

  it('depends on its files, and is a program where they could not be read', () => {
    expect(kindOf({ tags: ['PSModules', 'powershell'] }, 'library')).toBe('library');
    expect(kindOf({ tags: [] }, undefined)).toBe('program');
  });
});
