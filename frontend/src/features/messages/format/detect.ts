// Cheap questions about a text, asked for every message before anything larger is loaded or run.

/** A character or the beginning of a line that can mean something in Markdown. Wrongly true costs time, nothing else. */
const MARKDOWN = /[*_~`\\]|\]\(|<(?:https?|mailto):|^ {0,3}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])/m;

export const mayHaveMarkdown = (text: string): boolean => MARKDOWN.test(text);

/** Up to so many are shown large. */
const LARGE_MAX_EMOJI = 6;
const EMOJI_ONLY = new RegExp(`^\\s*(?:\\p{RGI_Emoji}\\s*){1,${LARGE_MAX_EMOJI}}$`, 'v');
/** No text of so few emoji is longer. */
const LARGE_MAX_UNITS = 120;

export const isEmojiOnly = (text: string): boolean => text.length <= LARGE_MAX_UNITS && EMOJI_ONLY.test(text);
