import { describe, expect, it } from "vitest";
import { ago, behind, bytes, roundTrip } from "./format";

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [250 * 1024, "250 KiB"],
    [3.25 * 1024 ** 3, "3.3 GiB"],
  ])("%d is %s", (count, text) => expect(bytes(count)).toBe(text));
});

describe("ago", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  it.each([
    ["2026-11-24T11:59:58Z", "just now"],
    ["2026-11-24T11:59:30Z", "30 s ago"],
    ["2026-11-24T11:30:00Z", "30 min ago"],
    ["2026-11-24T02:00:00Z", "10 h ago"],
    ["2026-11-20T12:00:00Z", "4 d ago"],
    ["2026-11-24T12:00:09Z", "just now"],
    ["garbage", ""],
  ])("%s is %s", (iso, text) => expect(ago(iso, now)).toBe(text));
});

describe("roundTrip", () => {
  it.each([
    [null, "–"],
    [0.23, "0.2 ms"],
    [41.6, "42 ms"],
  ])("%s is %s", (millis, text) => expect(roundTrip(millis)).toBe(text));
});

describe("behind", () => {
  it.each([
    [null, "unknown"],
    [{ changes: 0, bytes: 0 }, "up to date"],
    [{ changes: 1, bytes: 0 }, "1 change"],
    [{ changes: 3, bytes: 2048 }, "3 changes, 2 KiB"],
  ])("%o is %s", (by, text) => expect(behind(by)).toBe(text));
});
