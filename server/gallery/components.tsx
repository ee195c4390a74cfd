import type { JSX } from 'preact';
import type { PackageRow } from '../catalog/catalog.ts';
import type { ClientCommands } from './commands.ts';

/** Commands to copy, one block a client; a click selects the whole of a command (gallery.css). */
export function Commands({ blocks }: { readonly blocks: readonly ClientCommands[] }): JSX.Element {
  return (
    <dl class="commands">
      {blocks.map(({ client, commands }) => (
        <div key={client}>
          <dt>{client}</dt>
          {commands.map(({ label, lines, remark }) => (
            <dd key={label}>
              {label === undefined ? null : <p class="label">{label}</p>}
              <pre>
                <code class="copy">{lines.join('\n')}</code>
              </pre>
              {remark === undefined ? null : <p class="remark">{remark}</p>}
            </dd>
          ))}
        </div>
      ))}
    </dl>
  );
}

/** The start of a hash; the whole of it on demand. */
export function Hash({ sha256 }: { readonly sha256: string }): JSX.Element {
  return (
    <details class="hash">
      <summary>
        <code>{sha256.slice(0, 12)}…</code>
      </summary>
      <code class="copy">{sha256}</code>
    </details>
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
