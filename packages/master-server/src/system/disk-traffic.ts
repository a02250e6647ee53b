/** Bytes since boot. */
export interface DiskTraffic {
  readonly read: number;
  readonly written: number;
}

/** The kernel counts in these, whatever the disk's own sectors are. */
const sectorBytes = 512;

/** Whole disks: no partitions, and nothing made of other disks (dm-, md, loop, zram). */
const wholeDisk = /^(?:(?:sd|hd|vd|xvd)[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

/**
 * Reads `/proc/diskstats`: the sum over whole disks.
 *
 * @see the kernel's Documentation/admin-guide/iostats.rst
 */
export function parseDiskTraffic(text: string): DiskTraffic {
  let read = 0;
  let written = 0;
  for (const row of text.split("\n")) {
    const columns = row.trim().split(/ +/);
    if (!wholeDisk.test(columns[2] ?? "")) continue;
    const sectorsRead = Number(columns[5]);
    const sectorsWritten = Number(columns[9]);
    if (!Number.isSafeInteger(sectorsRead) || !Number.isSafeInteger(sectorsWritten)) continue;
    read += sectorsRead * sectorBytes;
    written += sectorsWritten * sectorBytes;
  }
  return { read, written };
}
