import { expect, it } from "vitest";
import { parseDiskTraffic } from "./disk-traffic.ts";

const row = (name: string, read: number, written: number) =>
  `   8       0 ${name} 500 3 ${read} 120 900 7 ${written} 400 0 300 520 0 0 0 0 12 5\n`;

it("adds whole disks up, in bytes", () => {
  const text = row("sda", 10, 20) + row("nvme0n1", 1, 2);
  expect(parseDiskTraffic(text)).toEqual({ read: 5632, written: 11_264 });
});

it.each(["sda", "sdab", "vda", "xvdf", "hda", "nvme0n1", "nvme10n2", "mmcblk0"])(
  "counts %s",
  (name) => {
    expect(parseDiskTraffic(row(name, 1, 2))).toEqual({ read: 512, written: 1024 });
  },
);

it.each(
  "sda1 vda15 nvme0n1p1 mmcblk0p2 mmcblk0boot0 dm-0 md127 loop3 ram0 zram0 sr0 nbd0".split(" "),
)("leaves %s out", (name) => {
  expect(parseDiskTraffic(row(name, 1, 2))).toEqual({ read: 0, written: 0 });
});

it("reads the eleven columns of old kernels", () => {
  expect(parseDiskTraffic("8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n")).toEqual({
    read: 1536,
    written: 3584,
  });
});

it.each(["", "8 0 sda\n", "8 0 sda x x x x x x x\n", "\0\0"])("makes zeros of %j", (text) => {
  expect(parseDiskTraffic(text)).toEqual({ read: 0, written: 0 });
});
