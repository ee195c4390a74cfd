import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes files below a folder that looks like /sys. */
export async function writeSys(sys: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(sys, name, '..'), { recursive: true });
    await writeFile(join(sys, name), text);
  }
}

/** Puts cards on buses. */
export async function connect(sys: string, buses: Readonly<Record<string, string>>): Promise<void> {
  for (const [card, bus] of Object.entries(buses)) {
    await mkdir(join(sys, 'bus', bus), { recursive: true });
    await mkdir(join(sys, 'class/net', card, 'device'), { recursive: true });
    await symlink(join(sys, 'bus', bus), join(sys, 'class/net', card, 'device/subsystem'));
  }
}
