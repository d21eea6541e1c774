// A cheap question about a text, asked for every message.

/** Up to so many are shown large. */
const LARGE_MAX_EMOJI = 6;
const EMOJI_ONLY = new RegExp(`^\\s*(?:\\p{RGI_Emoji}\\s*){1,${LARGE_MAX_EMOJI}}$`, 'v');
/** No text of so few emoji is longer. */
const LARGE_MAX_UNITS = 120;

export const isEmojiOnly = (text: string): boolean => text.length <= LARGE_MAX_UNITS && EMOJI_ONLY.test(text);
