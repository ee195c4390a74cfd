import { fail } from './format-error.ts';
import { checkForm } from './nuspec-fields.ts';
import type { XmlElement } from './xml.ts';

export type NuspecDependency = {
  readonly targetFramework?: string;
  /** Empty for a group without dependencies, which means that its framework needs none (spec nuget-v2 13). */
  readonly id: string;
  /** As it was written; absent means any version. */
  readonly range?: string;
};

/** Reads both the older flat form and groups. @throws FormatError NUSPEC_* */
export function readDependencies(list: XmlElement): NuspecDependency[] {
  return list.children.flatMap((child) => {
    if (child.name === 'dependency') return [readDependency(child, '')];
    if (child.name === 'group') return readGroup(child);
    return [];
  });
}

/** For xml2js' Builder: flat when no dependency names a framework, else in groups (a nuspec may not mix both). */
export function dependencyElements(dependencies: readonly NuspecDependency[]): object {
  if (dependencies.every((dependency) => dependency.targetFramework === undefined)) {
    return { dependency: dependencies.map(dependencyElement) };
  }
  const frameworks = [...new Set(dependencies.map((dependency) => dependency.targetFramework))];
  return {
    group: frameworks.map((framework) => {
      const members = dependencies.filter(
        (dependency) => dependency.targetFramework === framework && dependency.id !== '',
      );
      return {
        ...(framework !== undefined && { $: { targetFramework: framework } }),
        ...(members.length > 0 && { dependency: members.map(dependencyElement) }),
      };
    }),
  };
}

function readGroup(group: XmlElement): NuspecDependency[] {
  const framework = checkForm(
    'framework',
    'targetFramework',
    group.attributes.get('targetFramework')?.trim() ?? '',
  );
  const members = group.children.filter((child) => child.name === 'dependency');
  if (members.length === 0 && framework !== '') return [{ targetFramework: framework, id: '' }];
  return members.map((member) => readDependency(member, framework));
}

function readDependency(element: XmlElement, framework: string): NuspecDependency {
  const id = element.attributes.get('id')?.trim() ?? '';
  if (id === '') fail('NUSPEC_SHAPE', { expected: 'an id on each <dependency>', found: 'one without' });
  const range = element.attributes.get('version')?.trim() ?? '';
  return {
    ...(framework !== '' && { targetFramework: framework }),
    id: checkForm('id', 'the id of a dependency', id),
    ...(range !== '' && { range: checkForm('range', `the version of dependency ${id}`, range) }),
  };
}

function dependencyElement({ id, range }: NuspecDependency): object {
  return { $: { id, ...(range !== undefined && { version: range }) } };
}
