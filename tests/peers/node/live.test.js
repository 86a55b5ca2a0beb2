// The page of `--live` in a real browser, while a run goes on. SOCKRATES_BIN names the sockrates binary.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch } from "./chromium.js";

const PATIENCE = 60_000;
const CLIENTS = process.env.LIVE_CLIENTS || "50";
const SECONDS = process.env.LIVE_SECONDS || "20";
// Few in each room: what is looked at is the page, and not how much this machine delivers.
const ROOMS = Math.max(10, Math.ceil(Number(CLIENTS) / 5));
const BIN = process.env.SOCKRATES_BIN;
const SCENARIO = `
name: A crowd that is watched
clients: { crowd: { count: ${CLIENTS}, arrive: 500/s } }
script:
  - all: connect
  - all: { join: "room-\${n % ${ROOMS}}" }
  - crowd: { repeat: { for: ${SECONDS}s, every: 1s, start: spread, steps: [ { broadcast: { to: "room-\${n % ${ROOMS}}", event: said, bytes: 64 } } ] } }
  - all: disconnect
thresholds: [ delivery p50 < 10 s ]
`;

let browser;
let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "live-"));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A run whose page is open in a browser. */
async function watched(name, look) {
  const [scenario, stored] = [join(folder, `${name}.yaml`), join(folder, `${name}.html`)];
  writeFileSync(scenario, SCENARIO);
  const run = spawn(BIN, ["run", scenario, "--live", "127.0.0.1:0", "--html", stored], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => run.on("exit", resolve));
  let told = "";
  const address = await new Promise((resolve, reject) => {
    run.stderr.on("data", (piece) => {
      told += piece;
      const found = told.match(/watch it at (http:\S+)/);
      if (found) resolve(found[1]);
    });
    run.on("exit", () => reject(new Error(told)));
  });
  const page = await browser.newPage();
  const [asked, complaints] = [[], []];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  try {
    await page.goto(address);
    await page.frameLocator("iframe:not(.waiting)").locator("main h1").waitFor({ timeout: PATIENCE });
    await look({ page, ended, stored, address });
    const outside = asked.filter((url) => !url.startsWith(address) && !/^(about|data):/.test(url));
    assert.deepEqual({ outside, complaints }, { outside: [], complaints: [] });
  } finally {
    await page.close();
    run.kill("SIGKILL");
  }
}

const over = (page) => page.getByText("The run is over.").waitFor({ timeout: PATIENCE + SECONDS * 1000 });
const shown = (page) => page.locator("iframe:not(.waiting)").getAttribute("srcdoc");

test("the page grows, and at the end it is the report that is stored", async () => {
  await watched("grows", async ({ page, ended, stored }) => {
    const first = await shown(page);
    await over(page);
    // A machine that is too busy for so many clients makes the run not valid; the page has to be the report all the same.
    assert.ok([0, 4].includes(await ended));
    const kept = readFileSync(stored, "utf8");
    await page.waitForFunction((kept) => document.querySelector("iframe:not(.waiting)").srcdoc === kept, kept);
    const last = await shown(page);
    assert.notEqual(last, first);
    const charts = await page.frameLocator("iframe").locator("svg.plot").count();
    assert.ok(charts > 3, `${charts} charts`);
    await page.screenshot({ path: process.env.LIVE_PICTURE || join(folder, "live.png") });
  });
});

test("the button asks first, and then stops the run", async () => {
  await watched("stops", async ({ page, ended }) => {
    const questions = [];
    let answer = false;
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      return answer ? dialog.accept() : dialog.dismiss();
    });
    await page.getByRole("button", { name: "Stop" }).click();
    assert.equal(questions.length, 1);
    assert.ok(await page.getByText("The run goes on.").isVisible());
    answer = true;
    await page.getByRole("button", { name: "Stop" }).click();
    assert.equal(await ended, 130);
    await page.getByText("The run is over.").waitFor({ timeout: PATIENCE });
  });
});
