import type { Rule } from 'eslint';

/**
 * The words that made readers of this project read a sentence twice, with what to write instead. A phrase is listed only if it
 * is nearly always wrong in technical prose; "where" for "if" is not, because no pattern decides it.
 */
const phrases: readonly (readonly [odd: RegExp, instead: string])[] = [
  [/\b(?:whoever|whosoever|whomever)\b/i, 'name the part: "the client that", "an attacker who", "a caller"'],
  [/\bnobody\b/i, '"nothing", "no process", "no one", or the passive'],
  [/(?:^|[.!] +)Who (?![^.]*\?)|[;:] who /, 'name the subject: "a client that …"'],
  [/\bthe one who\b|\bfor who\b|\bhe who\b/i, '"a client that", "for customers that"'],
  [/\btold\b|\btells\b/i, '"is sent", "receives", "states", "returns", "names"'],
  [/\bsays\b|\bsaid\b/i, '"states", "sends", "requires"; for model output "delivered"'],
  [/\bhears\b|\bheard\b/i, '"reads", "receives"'],
  [/\bknows\b/i, '"has", "depends on", "can read", "recognises"'],
  [/\bbeliev(?:e|es|ed)\b/i, '"use", "accept", "trust"'],
  [/(?<!\bthere )\b(?:is|are|was|were) none\b(?! of)/i, '"is invalid", "does not exist", "is not a …"'],
  [/\b(?:can|could|to|may|might) be had\b|\bwas not had\b/i, '"is available", "was received"'],
  [/\b(?:came|comes?) to be\b/i, '"exists", "happened"'],
  [/\bof (?:its|their) own accord\b/i, '"automatically"'],
  [/\bmay leave\b/i, '"may disconnect", "may close the stream"'],
  [/\bmade[ -]up\b(?! of)/i, '"generated"'],
  [/\b(?:takes?|took|taking) no notice\b/i, '"ignores"'],
  [/\b(?:for|from) want of\b/i, '"because … is missing"'],
  [/\bin vain\b/i, '"without a result"'],
  [/\b(?:last|own) words\b/i, '"final response", "message"'],
  [/\bwhatever (?:becomes?|became|comes?|came) of\b/i, '"whatever the outcome"'],
  [/\bonce for all\b/i, '"once"'],
  [/\bin the same breath\b/i, '"at the same time"'],
  [/\bslip of the pen\b/i, '"typing error"'],
  [/\bthe (?:door|sill)\b/i, '"the HTTP server", "the edge"'],
  [/\bthe house (?:bears|pays|loses)\b|\bby the house\b|\bthe house's\b/i, '"the operator"'],
  [/\b(?:thence|whence|therein|thereof|whereupon|lest|naught|nought)\b/i, 'the modern word'],
];

/** In a line, or in the line before it: the sentence stays as it is, for the reason that follows. */
const OPT_OUT = /plain-words-ok: \S/;

/** Code, quotations of code and addresses are not prose. Their length is kept, so that places stay the same. */
const withoutCode = (text: string): string =>
  text.replace(/`[^`\n]*`|\]\([^)\n]*\)|https?:\/\/\S+|\{@link[^}]*\}/g, (code) => '`'.repeat(code.length));

/** `line` counts from 0 in the text. */
export type OddWord = { readonly line: number; readonly phrase: string; readonly instead: string };

/** The odd words of prose of one or more lines. */
export const oddWords = (text: string): readonly OddWord[] => {
  const lines = text.split('\n');
  const optedOut = (at: number): boolean => OPT_OUT.test(lines[at] ?? '') || OPT_OUT.test(lines[at - 1] ?? '');
  return lines.flatMap((line, at) =>
    optedOut(at)
      ? []
      : phrases.flatMap(([pattern, instead]) => {
          // The marks of a comment or a list do not begin a sentence.
          const found = pattern.exec(withoutCode(line).replace(/^\s*(?:\/?\*+|\/\/|[-*>|]|\d+\.)\s*/, ''));
          return found ? [{ line: at, phrase: found[0].replace(/^[.;:!\s]+/, '').trim(), instead }] : [];
        }),
  );
};

/** The same for a page of Markdown, without its code blocks. */
export const oddWordsOfPage = (page: string): readonly OddWord[] =>
  oddWords(page.replace(/^( *)```[^]*?^\1```/gm, (block) => block.replace(/[^\n]/g, '')));

type Call = Parameters<NonNullable<Rule.RuleListener['CallExpression']>>[0];

/** The title of `it`, `test` or `describe`, also with `.each(…)`, `.skip` and the like; undefined for other calls. */
const titleOf = ({ callee, arguments: [title] }: Call): string | undefined => {
  const called = callee.type === 'CallExpression' ? callee.callee : callee;
  const named = called.type === 'MemberExpression' ? called.object : called;
  if (named.type !== 'Identifier' || !['it', 'test', 'describe'].includes(named.name)) return undefined;
  if (title?.type === 'Literal' && typeof title.value === 'string') return title.value;
  return title?.type === 'TemplateLiteral' ? title.quasis.map(({ value }) => value.raw).join('…') : undefined;
};

const rule: Rule.RuleModule = {
  meta: {
    type: 'suggestion',
    docs: { description: 'comments and test titles are plain technical English' },
    messages: { odd: '"{{phrase}}": write {{instead}}' },
    schema: [],
  },
  create: (context) => {
    const { lines } = context.sourceCode;
    /** Reports the odd words of a text that begins in `first`, a line counted from 1. */
    const report = (text: string, first: number): void => {
      for (const { line, phrase, instead } of oddWords(text)) {
        const at = first + line;
        if ([lines[at - 2], lines[at - 1]].some((one) => OPT_OUT.test(one ?? ''))) continue;
        context.report({ loc: { line: at, column: 0 }, messageId: 'odd', data: { phrase, instead } });
      }
    };
    return {
      Program: () => {
        for (const { value, loc } of context.sourceCode.getAllComments()) report(value, loc?.start.line ?? 1);
      },
      CallExpression: (node) => {
        const line = node.arguments[0]?.loc?.start.line;
        if (line !== undefined) report(titleOf(node) ?? '', line);
      },
    };
  },
};

export default { meta: { name: 'plain-words' }, rules: { 'plain-words': rule } };
