import type { ComponentChildren, JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';

type Frame = {
  readonly title: string;
  /** The search text. */
  readonly text?: string;
  readonly children: ComponentChildren;
};

/** A whole page as text. */
export function htmlOf(page: JSX.Element): string {
  return `<!doctype html>\n${renderToString(page)}\n`;
}

/** The frame of every page. */
export function Layout({ title, text = '', children }: Frame): JSX.Element {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="stylesheet" href="/static/gallery.css" />
        <link rel="icon" href="data:," />
      </head>
      <body>
        <header class="top">
          <a class="brand" href="/">
            go-win-tools
          </a>
          <search>
            <form action="/" method="get">
              <input
                type="search"
                name="q"
                value={text}
                placeholder="Search packages"
                aria-label="Search packages"
              />
            </form>
          </search>
        </header>
        <main>{children}</main>
        <footer>
          <a href="/nuget">NuGet feed</a> · <a href="/rollouts">rollouts</a> · <a href="/readyz">health</a>
        </footer>
      </body>
    </html>
  );
}
