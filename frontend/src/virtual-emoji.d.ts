// Made by vite-emoji.ts.
declare module 'virtual:emoji' {
  /** `[emoji, name, group, short names, other words]`, in the order of Unicode. */
  const rows: [string, string, number, string, string][];
  export default rows;
}
