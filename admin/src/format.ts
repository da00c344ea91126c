import type { Conflict, Member, Named, Version } from "./api";

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
  return since((now - Date.parse(iso)) / 1000);
}

/** How long ago something last came from a member. */
export function heard(millis: number | null): string {
  return millis === null ? "never" : since(millis / 1000);
}

function since(exact: number): string {
  const seconds = Math.max(0, Math.round(exact));
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

/** A node’s name, or the start of its id once it is no member any more. */
export function nodeName(node: Named): string {
  return node.name || node.id.slice(0, 8) || "an unknown node";
}

/** What a member did that somebody should know of, in plain words. */
export function complaints(member: Member): string[] {
  const said = member.problem ? [member.problem] : [];
  const { offences, floods } = member.sync ?? { offences: 0, floods: 0 };
  const times = (count: number) => (count === 1 ? "once" : `${count} times`);
  if (offences > 0) said.push(`Broke a rule that every member keeps, ${times(offences)}: see “fazt swarm events”.`);
  if (floods > 0) said.push(`Sent faster than this node could take it, ${times(floods)}: it may be the slow one.`);
  return said;
}

/** Which row or field a conflict is about, in the words of the app’s owner. */
export function subject(conflict: Conflict): string {
  const [table, field] = tableAndField(conflict);
  const key = conflict.key.map((part) => text(part));
  const row = table === "document" ? `document ${key[1]} of ${key[0]}` : rows[table]?.(key) ?? `${table} ${key.join(", ")}`;
  return field ? `${field} in ${row}` : row;
}

const rows: Record<string, (key: string[]) => string> = {
  kv: (key) => String(key[0]),
  app: () => "name",
  app_active: () => "active release",
  account: (key) => `account ${key[0]}`,
};

/** A document’s field that lost stands behind a slash; it is empty where the whole row did. */
function tableAndField(conflict: Conflict): [string, string] {
  const slash = conflict.table.indexOf("/");
  return slash < 0 ? [conflict.table, ""] : [conflict.table.slice(0, slash), conflict.table.slice(slash + 1)];
}

/** The columns that say anything on either side, in order; of a field, that field alone. */
export function columns(conflict: Conflict, present: Version | null): string[] {
  const [, field] = tableAndField(conflict);
  if (field) return [field];
  const sides = [conflict.values, present?.values ?? {}];
  return [...new Set(sides.flatMap((side) => Object.keys(side)))]
    .filter((name) => name !== CREATED && sides.some((side) => (side[name] ?? null) !== null))
    .sort();
}

/** The document store’s own mark. */
const CREATED = "_createdAt";

/** A column’s value as a person reads it; JSON that an app stored is laid out. */
export function text(value: unknown, column = ""): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "number" && /(^|_)at$/.test(column)) return new Date(value).toLocaleString();
  if (typeof value === "object" && "base64" in value) return `${bytes(atob(String(value.base64)).length)} of data`;
  if (typeof value !== "string") return JSON.stringify(value);
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null ? JSON.stringify(parsed, null, 2) : value;
  } catch {
    return value;
  }
}
