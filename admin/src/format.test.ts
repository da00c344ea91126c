import { describe, expect, it } from "vitest";
import type { Conflict, Member } from "./api";
import { ago, behind, bytes, columns, complaints, heard, nodeName, roundTrip, subject, text } from "./format";

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

describe("heard", () => {
  it.each([
    [null, "never"],
    [300, "just now"],
    [42_000, "42 s ago"],
    [7_200_000, "2 h ago"],
  ])("%o is %s", (millis, text) => expect(heard(millis)).toBe(text));
});

describe("behind", () => {
  it.each([
    [null, "unknown"],
    [{ changes: 0, bytes: 0 }, "up to date"],
    [{ changes: 1, bytes: 0 }, "1 change"],
    [{ changes: 3, bytes: 2048 }, "3 changes, 2 KiB"],
  ])("%o is %s", (by, text) => expect(behind(by)).toBe(text));
});

describe("complaints", () => {
  const member = (problem: string, sync: Member["sync"]) => ({ problem, sync }) as Member;
  it.each([
    [member("", null), []],
    [member("", { offences: 0, floods: 0 }), []],
    [member("speaks protocol 3", { offences: 0, floods: 0 }), ["speaks protocol 3"]],
    [member("", { offences: 1, floods: 0 }), ["Broke a rule that every member keeps, once: see “fazt swarm events”."]],
    [
      member("", { offences: 2, floods: 3 }),
      [
        "Broke a rule that every member keeps, 2 times: see “fazt swarm events”.",
        "Sent faster than this node could take it, 3 times: it may be the slow one.",
      ],
    ],
  ])("%o are %o", (one, lines) => expect(complaints(one)).toEqual(lines));
});

const conflict = (table: string, key: unknown[], values: Record<string, unknown> = {}) =>
  ({ table, key, values }) as Conflict;

describe("subject", () => {
  it.each([
    [conflict("kv", ["title"]), "title"],
    [conflict("app_active", ["fazt_app_1"]), "active release"],
    [conflict("document", ["notes", "n1"]), "document n1 of notes"],
    [conflict("document/a/b", ["notes", "n1"]), "a/b in document n1 of notes"],
    [conflict("later", ["x", 2]), "later x, 2"],
  ])("%o is %s", (one, words) => expect(subject(one)).toBe(words));
});

describe("columns", () => {
  const present = (values: Record<string, unknown>) => ({ by: { id: "", name: "" }, at: "", deleted: false, values });
  it("are those that say anything on either side", () => {
    expect(columns(conflict("kv", ["a"], { value: "1", expires_at: null }), present({ value: null, generation: "g" })))
      .toEqual(["generation", "value"]);
    expect(columns(conflict("kv", ["a"], { value: "1" }), null)).toEqual(["value"]);
  });
  it("are the field alone where a field lost", () =>
    expect(columns(conflict("document/stars", ["n", "1"], { stars: "2" }), present({ stars: "5", title: '"t"' })))
      .toEqual(["stars"]));
});

describe("text", () => {
  it.each([
    [null, "", "nothing"],
    [undefined, "", "nothing"],
    ['"mine"', "value", '"mine"'],
    ['{"a":1}', "value", '{\n  "a": 1\n}'],
    ["{broken", "value", "{broken"],
    [{ base64: "AAEC" }, "hash", "3 B of data"],
    [17, "size", "17"],
    [0, "expires_at", new Date(0).toLocaleString()],
  ])("%o in %s is %s", (value, column, shown) => expect(text(value, column)).toBe(shown));
});

describe("nodeName", () => {
  it.each([
    [{ id: "abcdefghijkl", name: "home" }, "home"],
    [{ id: "abcdefghijkl", name: "" }, "abcdefgh"],
  ])("%o is %s", (node, name) => expect(nodeName(node)).toBe(name));
});
