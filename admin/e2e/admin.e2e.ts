import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, logIn, picture, type RunningNode, startNode } from "./nodes";

let node: RunningNode;
let browser: Browser;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  node = await startNode("home");
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1100, height: 760 } });
  page.on("pageerror", (error) => problems.push(String(error)));
});

afterAll(async () => {
  await browser?.close();
  await node?.stop();
});

function deploy(text: string) {
  const site = join(node.folder, "site");
  mkdirSync(site, { recursive: true });
  writeFileSync(join(site, "index.html"), text);
  return node.run("app", "deploy", site, "--name", "hello");
}

describe("the admin page", () => {
  it("asks who you are, and refuses a wrong password", async () => {
    await page.goto(node.admin);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toBe("Invalid username or password");
    await picture(page, "login");
  });

  it("shows this node once the owner has logged in", async () => {
    await logIn(page, node.password);
    const row = page.locator('[data-node="home"]');
    await row.waitFor();
    expect(await row.textContent()).toContain("alive");
    expect(await page.getByText("No apps yet").isVisible()).toBe(true);
    await page.getByText("No conflicts").waitFor();
  });

  it("shows a deploy as it happens, without a reload", async () => {
    deploy("<h1>one</h1>");
    await page.locator('[data-app="hello"]').waitFor({ timeout: 5_000 });
    await picture(page, "dashboard");
  });

  it("goes back to an earlier release", async () => {
    const { app } = deploy("<h1>two</h1>");
    const first = node.run("app", "releases", app).releases[1].id;
    await page.getByRole("button", { name: "Releases" }).click();
    await page.locator(`[data-release="${first}"]`).getByRole("button", { name: "Activate" }).click();
    await page.locator(`[data-release="${first}"]`).getByText("active", { exact: true }).waitFor();
    await picture(page, "releases");
    expect(node.run("app", "releases", app).releases.find((release: { active: boolean }) => release.active).id).toBe(first);
  });

  it("fits a phone: only the table of nodes is wider, and scrolls by itself", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await picture(page, "phone");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await page.setViewportSize({ width: 1100, height: 760 });
  });

  it("logs out, and shows nothing after that", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Password").waitFor();
    await page.reload();
    await page.getByLabel("Password").waitFor();
    expect(problems).toEqual([]);
  });
});
