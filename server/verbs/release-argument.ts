import { Argument, InvalidArgumentError, Option } from 'commander';
import { parseNuGetVersion } from '../../formats/nuget-version.ts';
import { isPackageId } from '../../formats/nuspec-fields.ts';
import { inOneLine } from '../audit/reason.ts';

/** One version of a package or tool. */
export type Release = { readonly id: string; readonly version: string };

export function releaseArgument(): Argument {
  return new Argument('<id@version>', 'a package or tool and its version, such as buf@1.32.0').argParser(
    readRelease,
  );
}

export function reasonOption(description: string): Option {
  return new Option('--reason <text>', `required: ${description}`)
    .argParser(readReason)
    .makeOptionMandatory();
}

export function readRelease(text: string): Release {
  const [, id = '', version = ''] = /^([^@]+)@([^@]+)$/.exec(text) ?? [];
  if (!isPackageId(id) || parseNuGetVersion(version) === undefined)
    throw new InvalidArgumentError('Expected ID@VERSION, such as buf@1.32.0.');
  return { id, version };
}

function readReason(text: string): string {
  const reason = inOneLine(text);
  if (reason === undefined) throw new InvalidArgumentError('Expected words that say why, for the audit log.');
  return reason;
}
