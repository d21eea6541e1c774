// Made by vite-emoji.ts.
declare module 'virtual:emoji-codes' {
  /** A line for each: the emoji and its short names, in the order of Unicode. */
  const lines: string;
  export default lines;
}
declare module 'virtual:emoji' {
  /** `[name, group, other words]`, in the same order. */
  const rows: [string, number, string][];
  export default rows;
}
