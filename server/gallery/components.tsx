import type { JSX } from 'preact';
import type { PackageRow } from '../catalog/catalog.ts';
import type { ClientCommand } from './commands.ts';

/** Commands to copy, one block a client. */
export function Commands({ commands }: { readonly commands: readonly ClientCommand[] }): JSX.Element {
  return (
    <dl class="commands">
      {commands.map(({ client, lines, remark }) => (
        <div key={client}>
          <dt>{client}</dt>
          <dd>
            <pre>
              <code>{lines.join('\n')}</code>
            </pre>
            {remark === undefined ? null : <p class="remark">{remark}</p>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Version({ row }: { readonly row: PackageRow | undefined }): JSX.Element {
  return row === undefined ? (
    <span class="none">none yet</span>
  ) : (
    <span class={row.isPrerelease ? 'version beta' : 'version'}>{row.normalizedVersion}</span>
  );
}

export function DateText({ date }: { readonly date: Date }): JSX.Element {
  return <time dateTime={date.toISOString()}>{date.toISOString().slice(0, 10)}</time>;
}

/** 15.4 MB, as a person says it. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
