import MarkdownIt from 'markdown-it';

/** HTML in a text is escaped, and links with a scheme that runs scripts stay text. */
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });

/** Headings can be linked to: `## 5. Billing` has the id `5-billing`. */
markdown.core.ruler.push('heading_ids', (state) => {
  const ids = new Set<string>();
  state.tokens.forEach((token, n) => {
    if (token.type !== 'heading_open') return;
    const slug = (state.tokens[n + 1]?.content ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
      .replaceAll(/^-|-$/g, '');
    if (slug === '' || ids.has(slug)) return;
    ids.add(slug);
    token.attrSet('id', slug);
  });
});

export const markdownAsHtml = (text: string): string => markdown.render(text);
