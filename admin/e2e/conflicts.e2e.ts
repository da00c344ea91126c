import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, logIn, picture, type RunningNode, startNode } from "./nodes";

const app = "notes.localhost";
let home: RunningNode;
let laptop: RunningNode;
let browser: Browser;
let page: Page;
const problems: string[] = [];

async function eventually(what: string, holds: () => Promise<boolean>) {
  const end = Date.now() + 60_000;
  let why: unknown = "";
  while (Date.now() < end) {
    try {
      if (await holds()) return;
    } catch (failed) {
      why = failed;
    }
    await new Promise((next) => setTimeout(next, 200));
  }
  throw new Error(`not within a minute: ${what} ${why}`);
}

const get = (node: RunningNode, key: string) =>
  node.ask(app, "GET", `/api/${key}`).then((answer) => answer.value);
const put = (node: RunningNode, key: string, value: unknown) => node.ask(app, "PUT", `/api/${key}`, value);
const online = (is: boolean) => laptop.ask("admin.localhost", "PUT", "/api/swarm/links", { online: is });
const row = (key: string) => page.locator("[data-conflict]", { hasText: key });
const compare = (key: string) => row(key).getByRole("button", { name: `Compare ${key}` });

/** Both write each key without knowing of the other, laptop later. */
async function disagree(keys: Record<string, [unknown, unknown]>) {
  await online(false);
  for (const [key, [one, other]] of Object.entries(keys)) {
    await put(home, key, one);
    await put(laptop, key, other);
  }
  await online(true);
  for (const [key, [, other]] of Object.entries(keys)) {
    await eventually(`home has laptop’s ${key}`, async () => JSON.stringify(await get(home, key)) === JSON.stringify(other));
  }
}

beforeAll(async () => {
  [home, laptop] = await Promise.all([startNode("home"), startNode("laptop")]);
  const site = join(home.folder, "site");
  mkdirSync(join(site, "api"), { recursive: true });
  writeFileSync(join(site, "index.html"), "<h1>notes</h1>");
  writeFileSync(
    join(site, "api", "main.js"),
    `const { kv } = fazt.app;
    async function answer() {
      const key = request.path.slice('/api/'.length);
      if (request.method === 'PUT') await kv.set(key, request.body);
      return { body: { value: (await kv.get(key)) ?? null } };
    }
    answer();`,
  );
  home.run("app", "deploy", site, "--name", "notes");
  const { token } = await home.ask("admin.localhost", "POST", "/api/swarm/token", {}).then((answer) => answer.data);
  laptop.run("swarm", "join", token);
  await eventually("laptop serves the app", async () => (await get(laptop, "none")) === null);
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1100, height: 760 } });
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(home.admin);
  await logIn(page, home.password);
  await page.getByText("No conflicts").waitFor();
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([home?.stop(), laptop?.stop()]);
});

describe("conflicts", () => {
  it("appear as they happen, with who wrote what lost, and to whom", async () => {
    await disagree({
      title: ["Groceries", "Shopping"],
      list: [{ bread: 1, milk: 2, cheese: "the hard one" }, { bread: 2, milk: 2, note: "x".repeat(200) }],
      mood: ["good", "fine"],
    });
    await row("title").waitFor();
    await page.getByText("3 open").waitFor();
    expect(await row("title").textContent()).toContain("in notes");
    expect(await row("title").textContent()).toMatch(/written on home .*, lost to laptop/);
    await page.getByRole("link", { name: "3 conflicts" }).waitFor();
    await picture(page, "conflicts");
  });

  it("show both versions side by side, by the keyboard too", async () => {
    await compare("list").focus();
    await page.keyboard.press("Enter");
    const now = row("list").locator('[data-side="Now"]');
    const lost = row("list").locator('[data-side="Lost"]');
    await lost.getByText("the hard one").waitFor();
    expect(await now.textContent()).toContain("by laptop");
    expect(await now.textContent()).toContain("xxx");
    expect(await lost.textContent()).toContain("by home");
    expect(await now.boundingBox().then((box) => box?.y)).toBe(await lost.boundingBox().then((box) => box?.y));
    await picture(page, "conflict");
  });

  it("fit a phone, one version below the other", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await picture(page, "conflict-phone");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    const now = await row("list").locator('[data-side="Now"]').boundingBox();
    const lost = await row("list").locator('[data-side="Lost"]').boundingBox();
    expect(lost?.y).toBeGreaterThan(now?.y ?? 0);
    await page.setViewportSize({ width: 1100, height: 760 });
  });

  it("are dismissed on every node, and the focus goes where the outcome is told", async () => {
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const status = page.getByRole("status");
    await status.getByText("Dismissed list of notes on every node").waitFor();
    expect(await status.evaluate((one) => one === document.activeElement)).toBe(true);
    await row("list").waitFor({ state: "detached" });
    await eventually("laptop knows", async () => laptop.run("swarm", "conflicts").total === 2);
    await picture(page, "conflict-dismissed");
  });

  it("are restored: what lost is back everywhere, and what was written over is a conflict", async () => {
    await compare("title").click();
    await row("title").getByRole("button", { name: "Restore what was lost" }).click();
    await page.getByRole("status").getByText("Restored title of notes. What it said before is kept").waitFor();
    await eventually("laptop has what lost", async () => (await get(laptop, "title")) === "Groceries");
    await eventually("the other version lost now", async () =>
      ((await row("title").textContent()) ?? "").includes("written on laptop"),
    );
  });

  it("say so when another node settled what is open here", async () => {
    await compare("mood").click();
    await row("mood").locator('[data-side="Lost"]').waitFor();
    const [{ id }] = laptop.run("swarm", "conflicts").conflicts.filter((one: { key: string[] }) => one.key[0] === "mood");
    laptop.run("swarm", "conflicts", "dismiss", id);
    await page.getByRole("status").getByText("settled").waitFor();
    await row("mood").waitFor({ state: "detached" });
  });

  it("stay, with the node's own words, where a restore fails", async () => {
    await page.route("**/restore", (route) =>
      route.fulfill({ status: 507, json: { error: { code: "NO_STORAGE", message: "the disk is full" } } }),
    );
    await compare("title").click();
    await row("title").getByRole("button", { name: "Restore what was lost" }).click();
    await row("title").getByRole("alert").getByText("the disk is full").waitFor();
    await picture(page, "conflict-error");
    await page.unroute("**/restore");
  });

  it("stand below members, of which it is told what they do wrong", async () => {
    await page.route("**/api/swarm/status", async (route) => {
      const body = await home.ask("admin.localhost", "GET", "/api/swarm/status");
      const member = body.data.members.find((one: { name: string }) => one.name === "laptop");
      member.problem = "speaks version 9 of the protocol, this node 1 to 2: update fazt on the older of the two";
      member.sync.offences = 2;
      member.sync.floods = 1;
      await route.fulfill({ json: body });
    });
    const said = page.locator('[data-complaints="laptop"]');
    await said.getByText("speaks version 9").waitFor();
    expect(await said.textContent()).toContain("Broke a rule that every member keeps, 2 times");
    await picture(page, "complaints");
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await said.locator("ul").evaluate((list) => list.getBoundingClientRect().right)).toBeLessThanOrEqual(360);
    await picture(page, "complaints-phone");
    expect(problems).toEqual([]);
  });
});
