import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const fazt = resolve(__dirname, "../../deploy/dist/target/fazt");
const folder = mkdtempSync(join(tmpdir(), "fazt-admin-"));
const db = join(folder, "data.db");
const env = { ...process.env, FAZT_ARCHIVE: "off" };

let node: ChildProcess;
let browser: Browser;
let page: Page;
let admin = "";
let password = "";
const problems: string[] = [];

const run = (...words: string[]) => JSON.parse(execFileSync(fazt, [...words, "--db", db], { env, encoding: "utf8" }));

beforeAll(async () => {
  node = spawn(fazt, ["server", "start", "--db", db, "--port", "0", "--swarm-port", "0", "--name", "home"], { env });
  await new Promise<void>((ready, fail) => {
    let text = "";
    node.stdout?.on("data", (part: Buffer) => {
      text += part.toString();
      admin = /^admin (\S+)/m.exec(text)?.[1] ?? "";
      password = /^owner password (\S+)/m.exec(text)?.[1] ?? "";
      if (/^ready /m.test(text)) ready();
    });
    node.on("exit", (code) => fail(new Error(`the node ended with ${code}: ${text}`)));
  });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  page = await browser.newPage({ viewport: { width: 1100, height: 760 } });
  page.on("pageerror", (error) => problems.push(String(error)));
});

afterAll(async () => {
  await browser?.close();
  node?.removeAllListeners("exit");
  node?.kill("SIGTERM");
  await new Promise((done) => (node && node.exitCode === null ? node.on("exit", done) : done(null)));
  rmSync(folder, { recursive: true, force: true });
});

function deploy(text: string) {
  const site = join(folder, "site");
  mkdirSync(site, { recursive: true });
  writeFileSync(join(site, "index.html"), text);
  return run("app", "deploy", site, "--name", "hello");
}

async function picture(name: string) {
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`) });
}

describe("the admin page", () => {
  it("asks who you are, and refuses a wrong password", async () => {
    await page.goto(admin);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toBe("Invalid username or password");
    await picture("login");
  });

  it("shows this node once the owner has logged in", async () => {
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    const row = page.locator('[data-node="home"]');
    await row.waitFor();
    expect(await row.textContent()).toContain("alive");
    expect(await page.getByText("No apps yet").isVisible()).toBe(true);
  });

  it("shows a deploy as it happens, without a reload", async () => {
    deploy("<h1>one</h1>");
    await page.locator('[data-app="hello"]').waitFor({ timeout: 5_000 });
    await picture("dashboard");
  });

  it("goes back to an earlier release", async () => {
    const { app } = deploy("<h1>two</h1>");
    const first = run("app", "releases", app).releases[1].id;
    await page.getByRole("button", { name: "Releases" }).click();
    await page.locator(`[data-release="${first}"]`).getByRole("button", { name: "Activate" }).click();
    await page.locator(`[data-release="${first}"]`).getByText("active", { exact: true }).waitFor();
    await picture("releases");
    expect(run("app", "releases", app).releases.find((release: { active: boolean }) => release.active).id).toBe(first);
  });

  it("fits a phone: only the table of nodes is wider, and scrolls by itself", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await picture("phone");
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
