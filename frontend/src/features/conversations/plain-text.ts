// A message without the marks of its Markdown, for where there is one line for it. Not a parser: what it takes wrongly for a
// mark is missing from a preview, nothing else.

const FENCE = /^ {0,3}(?:```|~~~).*$/gm;
const LINE_MARK = /^ {0,3}(?:> ?|[-+*][ \t]+)+/gm;
const LINK = /!?\[([^[\]]{1,300})\]\([^()\s]{1,2000}\)/g;
const AROUND =
  /(\*\*|~~|`|(?<![\p{L}\p{N}])__|(?<![\p{L}\p{N}])_|\*)(?=\S)([^*`\n]{0,300}?\S)\1(?![\p{L}\p{N}])/gu;

export function plainText(markdown: string): string {
  return markdown
    .replace(FENCE, '')
    .replace(LINE_MARK, '')
    .replace(LINK, '$1')
    .replace(AROUND, '$2')
    .replace(AROUND, '$2');
}
