import type { ComponentChildren, JSX } from 'preact';
import type { PackageRow } from '../catalog/catalog.ts';
import type { ClientCommands, Command } from './commands.ts';

type ChoiceProps = { readonly blocks: readonly ClientCommands[]; readonly chosen: string };

/**
 * Shows the commands of one client at a time, of the first unless a link chose another. Details with one name close each other,
 * which works with keyboard and screen readers too.
 */
export function CommandChoice({ blocks, chosen }: ChoiceProps): JSX.Element {
  const named = blocks.findIndex(({ client }) => client.toLowerCase() === chosen.toLowerCase());
  return (
    <div class="choice">
      {blocks.map(({ client, commands }, index) => (
        <details key={client} name="client" open={index === Math.max(named, 0)}>
          <summary>{client}</summary>
          {commands.map((command) => (
            <CommandLines key={command.label} command={command} />
          ))}
        </details>
      ))}
    </div>
  );
}

/** Commands to copy, one block per client. */
export function Commands({ blocks }: { readonly blocks: readonly ClientCommands[] }): JSX.Element {
  return (
    <dl class="commands">
      {blocks.map(({ client, commands }) => (
        <div key={client}>
          <dt>{client}</dt>
          {commands.map((command) => (
            <dd key={command.label}>
              <CommandLines command={command} />
            </dd>
          ))}
        </div>
      ))}
    </dl>
  );
}

/** What the commands need if reading needs a key (docs/operate/access.md). */
export function KeyNote({ readAuth }: { readonly readAuth: 'feed' | 'all' | undefined }): JSX.Element | null {
  if (readAuth === undefined) return null;
  return (
    <p class="remark">
      Reading needs a key here: any user name, and the key as the password (<code>--user</code> and{' '}
      <code>--password</code> of choco, <code>-Credential</code> of PowerShell). <code>install.cmd</code> asks
      for it.
      {readAuth === 'feed' ? ' Scoop needs none.' : ''}
    </p>
  );
}

/** A click selects a whole command (gallery.css). */
function CommandLines({ command: { label, lines, remark } }: { readonly command: Command }): JSX.Element {
  return (
    <>
      {label === undefined ? null : <p class="label">{label}</p>}
      <pre>
        <code class="copy">{lines.join('\n')}</code>
      </pre>
      {remark === undefined ? null : <p class="remark">{remark}</p>}
    </>
  );
}

/** A table that a phone scrolls sideways, also by its keyboard. */
export function Scroll({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (axe: scrollable-region-focusable)
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

/** The beginning of a hash; the whole hash on demand. */
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

/** A list of links by name, leaving out those without an address. */
export function Links({
  to,
}: {
  readonly to: Readonly<Record<string, string | undefined>>;
}): JSX.Element | null {
  const links = Object.entries(to).flatMap(([name, address]) => (address ? [{ name, address }] : []));
  if (links.length === 0) return null;
  return (
    <ul class="links">
      {links.map(({ name, address }) => (
        <li key={name}>
          <a href={address} rel="noreferrer">
            {name}
          </a>
        </li>
      ))}
    </ul>
  );
}

export function DateText({ date }: { readonly date: Date }): JSX.Element {
  return <time dateTime={date.toISOString()}>{date.toISOString().slice(0, 10)}</time>;
}

/** 15.4 MB, for people. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
