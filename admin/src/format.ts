const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A number of bytes in units of 1024, with one digit after the point below 100. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`;
}

/** How long ago that was, in the largest unit that fits. */
export function ago(iso: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (Number.isNaN(seconds)) return "";
  if (seconds < 5) return "just now";
  for (const [size, name] of [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
  ] as const) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${name} ago`;
  }
  return `${seconds} s ago`;
}

/** A round trip: fractions of a millisecond matter on a LAN only. */
export function roundTrip(millis: number | null): string {
  if (millis === null) return "–";
  return millis < 10 ? `${Number(millis.toFixed(1))} ms` : `${Math.round(millis)} ms`;
}

/** How far a member is behind this node. */
export function behind(by: { changes: number; bytes: number } | null): string {
  if (by === null) return "unknown";
  if (by.changes === 0 && by.bytes === 0) return "up to date";
  const changes = `${by.changes} ${by.changes === 1 ? "change" : "changes"}`;
  return by.bytes === 0 ? changes : `${changes}, ${bytes(by.bytes)}`;
}
