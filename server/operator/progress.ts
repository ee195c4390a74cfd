/** Tells on stderr how far a long work is, at each tenth; silent when it is short. */
export function createProgress(
  stderr: NodeJS.WritableStream,
  does: string,
  totalBytes: number,
): (bytes: number) => void {
  const isLong = totalBytes > 64 * 1024 ** 2;
  let done = 0;
  let told = 0;
  return (bytes) => {
    done += bytes;
    const tenth = Math.min(10, Math.floor((done * 10) / Math.max(1, totalBytes)));
    if (isLong && tenth > told) {
      told = tenth;
      stderr.write(`${does}: ${tenth * 10} % of ${printBytes(totalBytes)}\n`);
    }
  };
}

/** `1.5 GiB` */
export function printBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}
