import encodeQR from "qr";

/** A text as a QR code; drawn by the page itself. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  let cells: boolean[][];
  try {
    cells = encodeQR(text, "raw", { ecc: "low", border: 2 });
  } catch {
    // Too long for any code.
    return null;
  }
  const size = cells.length;
  const path = cells
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} />
      <path d={path} />
    </svg>
  );
}
