/** A page without script: the landing page and the explanations of problems. */

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#222}" +
  "code,pre{font:14px/1.4 ui-monospace,monospace;background:#f3f3f3;padding:.1em .3em}pre{padding:1em;overflow-x:auto}" +
  "th,td{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}a{color:#0645ad}" +
  "@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}code,pre{background:#2a2a2a}a{color:#8ab4f8}}";

/** `title` is text, `body` is HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style><h1>${escapeHtml(title)}</h1>${body}</html>`;
}
