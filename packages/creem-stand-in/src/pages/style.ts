import { createHash } from 'node:crypto';

export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #d9dee4; --page: #f6f7f9; --card: #fff;
  --accent: #1f5fbf; --on-accent: #fff; --note: #fff3d1; --on-note: #5b4200; --bad: #b3261e; --good: #1d6f42; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a4adb8; --line: #3a414a; --page: #15181c;
  --card: #1d2126; --accent: #7fb0ff; --on-accent: #0b1a30; --note: #4a3a10; --on-note: #ffe9ad; --bad: #ff9a90; --good: #7fd6a4; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/22px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.simulated { margin: 0; padding: 8px 16px; background: var(--note); color: var(--on-note); text-align: center; font-weight: 600; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 16px 64px; }
main.narrow { max-width: 480px; }
h1 { font-size: 22px; line-height: 28px; margin: 0 0 16px; }
h2 { font-size: 17px; line-height: 24px; margin: 32px 0 8px; }
p { margin: 0 0 12px; }
a { color: var(--accent); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 16px; margin: 0 0 16px; }
.soft { color: var(--soft); }
.error { color: var(--bad); font-weight: 600; }
.done { color: var(--good); font-weight: 600; }
label { display: block; margin: 0 0 12px; font-weight: 600; }
label .hint { display: block; font-weight: 400; color: var(--soft); }
label.inline { display: inline-block; margin-right: 12px; vertical-align: bottom; }
input, select { display: block; width: 100%; min-height: 40px; padding: 8px; margin-top: 4px; font: inherit; color: inherit;
  background: var(--page); border: 1px solid var(--soft); border-radius: 6px; font-weight: 400; }
form.card { max-width: 480px; }
details { margin: 0 0 8px; }
main.narrow td:last-child { padding-right: 0; }
input[type=checkbox] { display: inline-block; width: auto; min-height: 0; margin: 0 8px 0 0; }
button { min-height: 40px; padding: 8px 16px; font: inherit; font-weight: 600; color: var(--accent); background: transparent;
  border: 1px solid var(--accent); border-radius: 6px; cursor: pointer; }
button.first { color: var(--on-accent); background: var(--accent); }
button.wide { width: 100%; margin-bottom: 8px; }
button.small { min-height: 28px; padding: 2px 8px; font-weight: 400; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form.inline { display: inline-block; margin: 0 8px 0 0; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 8px 12px 8px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; white-space: nowrap; }
th { font-weight: 600; color: var(--soft); }
.money { text-align: right; }
tr.total td { font-weight: 600; border-bottom: 0; }
code, pre { font: 13px/20px ui-monospace, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: 8px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/**
 * No script, no picture, nothing from elsewhere. Chromium applies `form-action` to redirects as well, so the page that leads
 * back to the shop names the shop's origin.
 */
export const contentSecurityPolicy = (formTargets: readonly string[]): string =>
  [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
