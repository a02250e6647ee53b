const WIDTH = 72;
const HEIGHT = 20;

/** The last values of something as a small line; decoration beside the number. */
export function Sparkline({ values }: { readonly values: readonly number[] }) {
  if (values.length < 2)
    return <svg class="spark" width={WIDTH} height={HEIGHT} aria-hidden="true" />;
  const most = Math.max(...values, 1);
  const step = WIDTH / (values.length - 1);
  const points = values.map(
    (value, at) =>
      `${(at * step).toFixed(1)},${(HEIGHT - 1.5 - (value / most) * (HEIGHT - 3)).toFixed(1)}`,
  );
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
    >
      <polygon points={`0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
      <polyline points={points.join(" ")} />
    </svg>
  );
}
