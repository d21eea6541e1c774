// The icons of the page: 20 × 20, drawn with the colour of the text around them. They are decoration: what
// they mean stands beside them or in the label of their button.

const PATHS = {
  search: 'M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM13 13l4 4',
  send: 'M3.5 10 16.5 4l-4.2 12.5-3-5.2zM9.3 11.3 16.5 4',
  back: 'M12 4.5 6.5 10l5.5 5.5',
  down: 'M10 4v12M4.5 10.5 10 16l5.5-5.5',
  clock: 'M10 3.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM10 6.5V10l2.3 1.6',
  tick: 'm4.5 10.5 3.6 3.7 7.4-8.4',
  ticks: 'm1.8 10.6 3.3 3.4 6.6-8M8.9 13.3l.9.9 7.4-8.2',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  link:
    'M8.5 11.5a3 3 0 0 0 4.3.1l2.5-2.5a3 3 0 0 0-4.3-4.3l-1 1' +
    'M11.5 8.5a3 3 0 0 0-4.3-.1l-2.5 2.5A3 3 0 0 0 9 15.2l1-1',
  smile:
    'M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6Z' +
    'M7.2 11.8c.7 1 1.7 1.5 2.8 1.5s2.1-.5 2.8-1.5M7.7 8.2v.1M12.3 8.2v.1',
  alert: 'M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6ZM10 6.6v4.2M10 13.3v.1',
  close: 'm5 5 10 10M15 5 5 15',
  cloud: 'M6 15.5a3.5 3.5 0 0 1-.6-6.9 4.6 4.6 0 0 1 8.4-1.5M16.2 10.3a2.8 2.8 0 0 1-1.7 5.2H9M3.5 3.5l13 13',
  note: 'M5 3.5h7l3 3v10H5zM7.5 9h5M7.5 12h5',
  sun:
    'M10 6.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4ZM10 2.5v1.6M10 15.9v1.6M2.5 10h1.6M15.9 10h1.6' +
    'M4.7 4.7l1.1 1.1M14.2 14.2l1.1 1.1M4.7 15.3l1.1-1.1M14.2 5.8l1.1-1.1',
  moon: 'M16.2 11.8A6.6 6.6 0 0 1 8.2 3.8a6.6 6.6 0 1 0 8 8Z',
  system: 'M3.5 4.5h13v8.5h-13zM7.5 16h5M10 13v3',
  leave: 'M8.5 4H4.5v12h4M12 6.5l3.5 3.5-3.5 3.5M15.3 10H8',
  eye:
    'M2.5 10S5.2 5.2 10 5.2 17.5 10 17.5 10 14.8 14.8 10 14.8 2.5 10 2.5 10Z' +
    'M10 7.9a2.1 2.1 0 1 0 0 4.2 2.1 2.1 0 0 0 0-4.2Z',
  more: 'M5 10h.1M10 10h.1M15 10h.1',
  menu: 'M4 6h12M4 10h12M4 14h12',
  hash: 'M8 4 6.5 16M13.5 4 12 16M4.5 8h12M3.8 12.2h12',
  lock: 'M5.5 9h9v7h-9zM7.3 9V6.8a2.7 2.7 0 0 1 5.4 0V9',
  people:
    'M7.5 4.5a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2ZM2.8 16c.3-3 2.1-4.4 4.7-4.4s4.4 1.4 4.7 4.4' +
    'M13 4.8a2.5 2.5 0 0 1 0 4.7M14.2 11.8c1.8.4 2.8 1.8 3 4.2',
  plus: 'M10 4.5v11M4.5 10h11',
  pencil: 'M4 16l.8-3.4L13.4 4 16 6.6 7.4 15.2z',
  compass: 'M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6ZM12.8 7.2l-1.6 4-4 1.6 1.6-4z',
  ban: 'M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6ZM5.2 5.2l9.6 9.6',
  reply: 'M8.5 5 4 9.5 8.5 14M4.5 9.5H12a4.5 4.5 0 0 1 4.5 4.5v1.5',
  pin: 'M7 3.5h6M8 3.5v5L5.5 12h9L12 8.5v-5M10 12v4.5',
  trash: 'M4 6h12M8 6V4h4v2M5.5 6l.8 10.5h7.4L14.5 6M8.5 9v4.5M11.5 9v4.5',
  at: 'M12.8 10a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0ZM12.8 7.2V11c0 2.6 3.7 2.2 3.7-1A6.5 6.5 0 1 0 14 15',
  phone: 'M6.5 3h7v14h-7zM9.3 14.6h1.4',
  sliders: 'M3.5 6h6M13.5 6h3M11.5 4v4M3.5 14h3M10.5 14h6M8.5 12v4',
  keyboard: 'M2.5 5.5h15v9h-15zM5.5 8.5h.1M8.5 8.5h.1M11.5 8.5h.1M14.5 8.5h.1M6.5 11.7h7',
};

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
