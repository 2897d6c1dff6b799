/** HTML that is safe to show: only `html` makes it, and it escapes whatever it is given that is not HTML itself. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | readonly Part[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const render = (part: Part): string => {
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
};

export const html = ({ raw }: TemplateStringsArray, ...parts: Part[]): Html =>
  new Html(raw.map((text, n) => text + render(parts[n] ?? '')).join(''));
