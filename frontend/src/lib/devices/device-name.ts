// What people call the thing that a session belongs to, from what its browser or program calls itself.

const BROWSERS: [RegExp, string][] = [
  [/\bEdg(?:A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/[\d.]+.*\bSafari\//, 'Safari'],
];

const SYSTEMS: [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'Mac'],
  [/\bLinux\b/, 'Linux'],
];

export interface Device {
  name: string;
  /** A telephone or tablet. */
  mobile: boolean;
}

export function deviceOf(userAgent: string): Device {
  const find = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const mobile = /\b(?:Mobile|iPhone|iPad|Android)\b/.test(userAgent);
  const browser = find(BROWSERS);
  const system = find(SYSTEMS);
  if (browser !== undefined)
    return { name: system === undefined ? browser : `${browser} on ${system}`, mobile };
  // A program: the first word, without its version.
  const program = /^[\w.-]{2,40}(?=\/|\s|$)/.exec(userAgent)?.[0];
  return { name: program ?? 'Unknown device', mobile };
}
