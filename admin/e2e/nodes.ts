import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const fazt = resolve(__dirname, "../../deploy/dist/target/fazt");
const env = { ...process.env, FAZT_ARCHIVE: "off" };

/** A packaged node as a process. */
export interface RunningNode {
  /** Its own; gone once it has stopped. */
  folder: string;
  /** The admin page’s URL. */
  admin: string;
  /** The owner’s, as the first start printed it. */
  password: string;
  /** Runs a command of fazt against it and answers what that printed as JSON. */
  run: (...words: string[]) => any;
  /** What it answers a host over HTTP; fails unless that is 200. The admin host gets the run file’s token. */
  ask: (host: string, method: string, path: string, body?: unknown) => Promise<any>;
  stop: () => Promise<void>;
}

/** Starts a node on free ports; answers once it serves. */
export async function startNode(name: string): Promise<RunningNode> {
  const folder = mkdtempSync(join(tmpdir(), "fazt-admin-"));
  const db = join(folder, "data.db");
  const process: ChildProcess = spawn(
    fazt,
    ["server", "start", "--db", db, "--port", "0", "--swarm-port", "0", "--name", name],
    { env },
  );
  let text = "";
  await new Promise<void>((ready, fail) => {
    process.stdout?.on("data", (part: Buffer) => {
      text += part.toString();
      if (/^ready /m.test(text)) ready();
    });
    process.on("exit", (code) => fail(new Error(`the node ended with ${code}: ${text}`)));
  });
  process.removeAllListeners("exit");
  const { http, token } = JSON.parse(readFileSync(`${db}.run`, "utf8"));
  const said = (what: RegExp) => what.exec(text)?.[1] ?? "";
  return {
    folder,
    admin: said(/^admin (\S+)/m),
    password: said(/^owner password (\S+)/m),
    run: (...words) => JSON.parse(execFileSync(fazt, [...words, "--db", db], { env, encoding: "utf8" })),
    ask: (host, method, path, body) =>
      new Promise((done, fail) => {
        const headers: Record<string, string> = { Host: host, "Content-Type": "application/json" };
        if (host.startsWith("admin.")) headers.Authorization = `Bearer ${token}`;
        const asked = request(`http://${http}${path}`, { method, headers }, (answer) => {
          let text = "";
          answer.on("data", (part) => (text += part));
          answer.on("end", () => {
            try {
              if (answer.statusCode !== 200) throw new Error("not 200");
              done(JSON.parse(text));
            } catch (failed) {
              fail(new Error(`${name} answers ${method} ${path} with ${answer.statusCode} ${text}: ${failed}`));
            }
          });
        });
        asked.on("error", fail);
        asked.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    stop: async () => {
      process.kill("SIGTERM");
      await new Promise((done) => (process.exitCode === null ? process.on("exit", done) : done(null)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

/** Logs the owner in on the login page. */
export async function logIn(page: Page, password: string) {
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Keeps a picture of the page where $PICTURES names a folder. */
export async function picture(page: Page, name: string) {
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`), fullPage: true });
}
