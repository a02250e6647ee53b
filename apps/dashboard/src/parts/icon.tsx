/** Shapes of a 24 × 24 box, drawn as lines. */
const shapes = {
  play: "M7 5l12 7-12 7z",
  stop: "M7 7h10v10H7z",
  restart: "M20 12a8 8 0 1 1-2.6-5.9M20 4v4.5h-4.5",
  reset: "M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5M12 8v4l3 2",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  duplicate: "M9 9h11v11H9zM5 15H4V4h11v1M14.5 12v5M12 14.5h5",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4 20h16",
  upload: "M12 16V5M7.5 9L12 4.5 16.5 9M4 20h16",
  plus: "M12 5v14M5 12h14",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L20 20",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  more: "M5 11v2M12 11v2M19 11v2M5 12h.01M12 12h.01M19 12h.01",
  columns: "M4 5h16v14H4zM9.5 5v14M14.5 5v14",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  picture: "M4 6h5v4H4zM15 4h5v4h-5zM15 15h5v5h-5zM9 8h3l3-2M12 8v9h3",
  server: "M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01",
  key: "M14.5 4a5.5 5.5 0 1 1-4.9 8L4 17.5V20h3v-2h2v-2h1.5l1.6-1.6M15.5 8.5h.01",
  pause: "M8 5v14M16 5v14",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  auto: "M12 3.5a8.5 8.5 0 1 1 0 17zM12 3.5a8.5 8.5 0 1 0 0 17",
  globe:
    "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM3.5 12h17M12 3.5c3 2.6 3 14.4 0 17M12 3.5c-3 2.6-3 14.4 0 17",
  leave: "M14 4H5v16h9M10 12h10M16.5 8.5L20 12l-3.5 3.5",
  back: "M14.5 5.5L8 12l6.5 6.5",
  down: "M6 9.5l6 6 6-6",
  link: "M10 14l4-4M8.5 11.5L6 14a3.5 3.5 0 0 0 5 5l2.5-2.5M15.5 12.5L18 10a3.5 3.5 0 0 0-5-5l-2.5 2.5",
  pulse: "M3 12h4l2.5-6 5 12 2.5-6h4",
  warning: "M12 4L2.8 19.5h18.4zM12 10v4.5M12 17h.01",
} as const;

export type IconName = keyof typeof shapes;

/** A drawing beside a text or in a button that has a name of its own. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
