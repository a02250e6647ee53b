import { expect, test } from "vitest";
import { formatLabels, MetricsPage } from "./metrics-page.ts";

test("writes families, series and values as the format has them", () => {
  const page = new MetricsPage();
  page.family("up", "gauge", "One line\nand a \\");
  page.series("", 1);
  page.series(formatLabels({ a: 'q"', b: "back\\slash\nline", c: "日本" }), 0.5);
  page.series(formatLabels({ a: "x" }), Number.NaN);
  page.series("", Number.POSITIVE_INFINITY);
  expect(page.toString()).toBe(
    [
      "# HELP up One line\\nand a \\\\",
      "# TYPE up gauge",
      "up 1",
      'up{a="q\\"",b="back\\\\slash\\nline",c="日本"} 0.5',
      'up{a="x"} NaN',
      "up +Inf",
      "",
    ].join("\n"),
  );
});

test("a histogram's buckets add up, in seconds, and end with all of them", () => {
  const page = new MetricsPage();
  page.family("t_seconds", "histogram", "t");
  const histogram = { boundsMs: [0.5, 2500], counts: [1, 2, 4], sumMs: 12_000 };
  page.histogram("", histogram);
  page.histogram('a="b"', histogram);
  expect(page.toString().split("\n").slice(2)).toEqual([
    't_seconds_bucket{le="0.0005"} 1',
    't_seconds_bucket{le="2.5"} 3',
    't_seconds_bucket{le="+Inf"} 7',
    "t_seconds_sum 12",
    "t_seconds_count 7",
    't_seconds_bucket{a="b",le="0.0005"} 1',
    't_seconds_bucket{a="b",le="2.5"} 3',
    't_seconds_bucket{a="b",le="+Inf"} 7',
    't_seconds_sum{a="b"} 12',
    't_seconds_count{a="b"} 7',
    "",
  ]);
});
