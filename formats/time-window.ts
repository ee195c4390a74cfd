/** `Mon-Fri 08:00-17:00 Europe/Berlin`: hours of the wall clock in a zone. An end before the start crosses midnight. */
export type TimeWindow = {
  /** 0 is Sunday. A window belongs to the day on which it begins. */
  readonly days: ReadonlySet<number>;
  /** Minutes since midnight. The end, up to 24:00, is outside of the window. */
  readonly from: number;
  readonly to: number;
  /** A name of the IANA database. */
  readonly zone: string;
};

/** The wall clock of a zone at one moment. */
type WallTime = { readonly day: number; readonly minute: number };

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const grammar =
  /^(?<days>[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?)*) +(?<from>\d{2}:\d{2})-(?<to>\d{2}:\d{2}) +(?<zone>[A-Za-z0-9_+/-]{1,64})$/i;
const minutesADay = 24 * 60;
const msAMinute = 60_000;
/** Every zone changes its clock at a full or half hour of UTC. */
const slotMinutes = 30;
const slotsAhead = (8 * minutesADay) / slotMinutes;

/** Undefined when the text is not a window, names an unknown zone, or is empty (its end equals its start). */
export function parseTimeWindow(text: string): TimeWindow | undefined {
  const groups = grammar.exec(text.trim())?.groups;
  if (groups === undefined) return undefined;
  const { days = '', from = '', to = '', zone = '' } = groups;
  const named = days.split(',').map(daysOf);
  const [start, end] = [minuteOf(from), minuteOf(to)];
  if (start === undefined || end === undefined || start === end || start === minutesADay) return undefined;
  if (named.includes(undefined) || !isZone(zone)) return undefined;
  return { days: new Set(named.flatMap((each) => each ?? [])), from: start, to: end, zone };
}

/** Whether the moment (ms since 1970) lies in one of the windows; without windows, any moment does. */
export function isInside(windows: readonly TimeWindow[], at: number): boolean {
  return windows.length === 0 || windows.some((window) => fits(window, wallTime(window.zone, at)));
}

/** The first minute from `at` on that lies in one of the windows; undefined when there is none within 8 days. */
export function nextInside(windows: readonly TimeWindow[], at: number): number | undefined {
  if (isInside(windows, at)) return at;
  const firstMinute = Math.ceil(at / msAMinute);
  for (let slot = 0; slot <= slotsAhead; slot += 1) {
    const slotStart = Math.floor(firstMinute / slotMinutes + slot) * slotMinutes;
    const begins = windows.map((window) => ({
      window,
      wall: wallTime(window.zone, slotStart * msAMinute),
    }));
    for (let minute = Math.max(slotStart, firstMinute); minute < slotStart + slotMinutes; minute += 1) {
      const isOpen = begins.some(({ window, wall }) => fits(window, later(wall, minute - slotStart)));
      if (isOpen) return minute * msAMinute;
    }
  }
  return undefined;
}

function fits({ days, from, to }: TimeWindow, { day, minute }: WallTime): boolean {
  if (from < to) return days.has(day) && minute >= from && minute < to;
  const dayBefore = (day + 6) % 7;
  return (days.has(day) && minute >= from) || (days.has(dayBefore) && minute < to);
}

function later({ day, minute }: WallTime, minutes: number): WallTime {
  const total = minute + minutes;
  return { day: (day + Math.floor(total / minutesADay)) % 7, minute: total % minutesADay };
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function wallTime(zone: string, at: number): WallTime {
  const clock =
    clocks.get(zone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  clocks.set(zone, clock);
  const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = dayNames.indexOf((parts.get('weekday') ?? '').toLowerCase());
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}

/** `Fri-Mon` wraps around the end of the week. */
function daysOf(text: string): readonly number[] | undefined {
  const [first = -1, last = first] = text
    .toLowerCase()
    .split('-')
    .map((name) => dayNames.indexOf(name));
  if (first < 0 || last < 0) return undefined;
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, index) => (first + index) % 7);
}

function minuteOf(text: string): number | undefined {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  const total = hours * 60 + minutes;
  return minutes < 60 && total <= minutesADay ? total : undefined;
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
