// The site about many servers in a real browser, opened from the disk without a network. It is the one that
// `cargo test --lib pages_for_the_browser` writes to target/report-pages/servers, or that in SITE.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PATIENCE, launch } from "./chromium.js";

const SITE = process.env.SITE ?? fileURLToPath(new URL("../../../target/report-pages/servers", import.meta.url));
const HERE = pathToFileURL(`${SITE}/`).href;
// Of a large site a few pages of each kind tell enough.
const PAGES = readdirSync(SITE).filter((name) => name.endsWith(".html"));
const some = (kind) => PAGES.filter((name) => name.startsWith(kind)).slice(0, 8);
const LOOKED_AT = [...some("index"), ...some("server-"), ...some("clause-")];
const PHONE = { width: 360, height: 780 };

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

for (const name of LOOKED_AT) {
  test(`${name}: has its style, asks for nothing but its neighbours, complains of nothing and fits a phone`, async () => {
    for (const colorScheme of ["light", "dark"]) {
      await looking(name, { viewport: PHONE, colorScheme }, async (page) => {
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
        assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgba(0, 0, 0, 0)");
        assert.equal(await page.locator("h1").count(), 1);
      });
    }
  });
}

test("the search finds a server and hides the others", async () => {
  await looking("index.html", {}, async (page) => {
    const rows = page.locator("tr[data-words]:visible");
    const before = await rows.count();
    const first = await page.locator("tr[data-words] th a").first().textContent();
    await page.locator("#search").fill(first);
    const found = await rows.count();
    assert.ok(found > 0 && found < before, `${found} of ${before}`);
    await page.locator("#search").fill("no such server");
    assert.equal(await rows.count(), 0);
  });
});

test("one goes from the index to a server, to a clause, and back", async () => {
  await looking("index.html", {}, async (page) => {
    const [server] = some("server-").filter((name) => name !== "server-broken.html");
    await page.locator(`a[href="${server}"]`).first().click();
    assert.ok(page.url().endsWith(server));
    await page.locator("header.top a").click();
    assert.ok(page.url().endsWith("index.html"));
    await page.locator(`a[href="${some("clause-")[0]}"]`).first().click();
    assert.ok(page.url().endsWith(some("clause-")[0]));
  });
});

/** Opens a page from the disk, offline, and looks whether it complained or asked for something elsewhere. */
async function looking(name, options, look) {
  const context = await browser.newContext({ offline: true, ...options });
  context.setDefaultTimeout(PATIENCE);
  const complaints = [];
  const page = await context.newPage();
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith("data:") && !request.url().startsWith(HERE)) complaints.push(`asks for ${request.url()}`);
  });
  try {
    await page.goto(HERE + name);
    await look(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}
