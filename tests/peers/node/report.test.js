// The pages of reports in a real browser, opened from the disk without a network. The pages are those that
// `cargo test --lib pages_for_the_browser` writes to target/report-pages; pictures of them are left beside them.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PATIENCE, launch } from "./chromium.js";

const PAGES = fileURLToPath(new URL("../../../target/report-pages/", import.meta.url));
const RUNS = ["troubled", "flawless", "hostile", "large", "compared"];
const ALL = [...RUNS, "conformance"];
const HOSTILE = "</script><img src=x onerror=alert(1)>";
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 780 };

let browser;
before(async () => {
  for (const name of ALL) {
    const written = existsSync(`${PAGES}${name}.html`);
    assert.ok(written, `${name}.html is not in ${PAGES}; cargo test --lib pages_for_the_browser writes it`);
  }
  browser = await launch();
});
after(() => browser?.close());

for (const name of ALL) {
  test(`${name}: opens without a network, asks for nothing and complains of nothing`, async (t) => {
    await looking(name, {}, async (page, { asked }) => {
      const timing = await page.evaluate(() => performance.getEntriesByType("navigation")[0].toJSON());
      t.diagnostic(`loaded in ${Math.round(timing.loadEventEnd)} ms, ${timing.decodedBodySize} bytes`);
      assert.deepEqual(asked, [pathToFileURL(`${PAGES}${name}.html`).href]);
      await page.screenshot({ path: `${PAGES}${name}-light.png`, fullPage: true });
    });
  });

  test(`${name}: is never wider than a phone`, async () => {
    await looking(name, { viewport: PHONE }, async (page) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(width, PHONE.width, await page.evaluate(whatSticksOut));
      await page.screenshot({ path: `${PAGES}${name}-phone.png`, fullPage: true });
    });
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`${name}: text can be read in the ${colorScheme}`, async () => {
      await looking(name, { colorScheme }, async (page) => {
        await everythingOpen(page);
        assert.deepEqual(await page.evaluate(faintTexts), []);
        if (colorScheme === "dark") await page.screenshot({ path: `${PAGES}${name}-dark.png`, fullPage: true });
      });
    });
  }

  test(`${name}: is built so that a screen reader finds its way`, async () => {
    await looking(name, {}, async (page) => assert.deepEqual(await page.evaluate(whatAReaderMisses), []));
  });
}

for (const name of ["troubled", "large", "compared"]) {
  test(`${name}: charts are drawn, with and without scripts`, async () => {
    for (const javaScriptEnabled of [true, false]) {
      await looking(name, { javaScriptEnabled }, async (page) => {
        const plots = await page.locator("svg.plot:visible").all();
        assert.ok(plots.length > 8, `${plots.length} charts`);
        for (const plot of plots) {
          const box = await plot.boundingBox();
          assert.ok(box.width > 300 && box.height > 100, JSON.stringify(box));
          const paths = await plot.locator("path.line").all();
          const drawn = await Promise.all(paths.map((path) => path.getAttribute("d")));
          assert.ok(drawn.length > 0 && drawn.every((path) => /^M\d/.test(path)), drawn.join());
        }
      });
    }
  });

  test(`${name}: nothing is cut off on paper`, async () => {
    await looking(name, { viewport: { width: 718, height: 1000 } }, async (page) => {
      await page.emulateMedia({ media: "print" });
      assert.deepEqual(await page.evaluate(whatSticksOut), []);
      await page.pdf({ path: `${PAGES}${name}.pdf`, format: "A4" });
    });
  });
}

test("a hostile name is a text everywhere, and runs nowhere", async () => {
  for (const javaScriptEnabled of [true, false]) {
    await looking("hostile", { javaScriptEnabled }, async (page) => {
      assert.equal(await page.locator("img").count(), 0);
      assert.equal(await page.locator("h1").textContent(), HOSTILE);
      assert.ok((await page.title()).includes(HOSTILE));
      assert.ok((await page.locator("text=onerror=alert").count()) > 10);
    });
  }
});

test("without scripts the scale is chosen, filters filter, and nothing offers what it cannot do", async () => {
  await looking("troubled", { javaScriptEnabled: false }, async (page) => {
    assert.equal(await page.locator(".tools:visible").count(), 0);
    const [log, linear] = [page.locator(".scales .log"), page.locator(".scales .linear")];
    assert.deepEqual([await log.isVisible(), await linear.isVisible()], [true, false]);
    await page.locator("input[value=linear]").check();
    assert.deepEqual([await log.isVisible(), await linear.isVisible()], [false, true]);
  });
  await looking("conformance", { javaScriptEnabled: false }, async (page) => {
    const rows = page.locator("table.cases tr.row:visible");
    assert.equal(await rows.count(), 5);
    await page.locator("#show-pass").uncheck();
    assert.equal(await rows.count(), 4);
    await page.locator("#show-should").uncheck();
    assert.equal(await rows.count(), 3);
    assert.equal(await page.locator("#search:visible").count(), 0);
  });
});

test("the search finds cases by id, clause and sentence", async () => {
  await looking("conformance", {}, async (page) => {
    const rows = page.locator("table.cases tr.row:visible");
    await page.locator("#search").fill("upgrade fif");
    assert.equal(await rows.count(), 1);
    assert.equal(await page.locator("#found").textContent(), "1 shown");
    await page.locator("#search").fill("sem-bc-04 NOBODY");
    assert.equal(await rows.count(), 5);
    await page.locator("#search").fill("no such words");
    assert.equal(await rows.count(), 0);
  });
});

test("the keyboard reaches every control, and shows where it is", async () => {
  await looking("troubled", {}, async (page) => {
    const controls = await page.evaluate(() => {
      const found = [...document.querySelectorAll("a[href], button, summary, .canvas, input[type=radio]:checked")];
      const shown = found.filter((element) => element.checkVisibility());
      return shown.map((element, index) => (element.dataset.control = String(index)));
    });
    const reached = new Set();
    for (let step = 0; step < controls.length + 40; step++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const { activeElement: at } = document;
        return { control: at.dataset.control, outline: getComputedStyle(at).outlineStyle, what: at.outerHTML.slice(0, 80) };
      });
      if (at.what.startsWith("<body")) continue; // Behind the last control is the first again.
      assert.notEqual(at.outline, "none", `the focus is not to be seen on ${at.what}`);
      if (at.control !== undefined) reached.add(at.control);
    }
    assert.deepEqual(controls.filter((control) => !reached.has(control)), []);
  });
});

test("one window on the time axis moves in all charts, by keyboard, button and drag", async () => {
  await looking("troubled", {}, async (page) => {
    const windows = () => page.$$eval(".chart[data-x=s] svg.plot", (plots) => [...new Set(plots.map((plot) => plot.getAttribute("viewBox").split(" 0 ").join(" ").split(" ").slice(0, 2).map(Math.round).join(" ")))]);
    const whole = ["0 1000"];
    assert.deepEqual(await windows(), whole);
    await page.locator(".canvas").first().focus();
    await page.keyboard.press("+");
    assert.deepEqual(await windows(), ["250 500"]);
    await page.locator("[data-zoom=right]").click();
    assert.deepEqual(await windows(), ["500 500"]);
    assert.match(await page.locator(".window").textContent(), /^31\.71 s to 63\.41 s$/);
    await page.locator("[data-zoom=reset]").click();
    assert.deepEqual(await windows(), whole);

    const canvas = page.locator("#run-traffic .canvas");
    await canvas.scrollIntoViewIfNeeded();
    const box = await canvas.boundingBox();
    const at = (share) => [box.x + box.width * share, box.y + 50];
    await page.mouse.move(...at(0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.4), { steps: 4 });
    await page.mouse.up();
    const [shown] = await windows();
    const [from, width] = shown.split(" ").map(Number);
    assert.ok(Math.abs(from - 200) < 5 && Math.abs(width - 200) < 5, shown);
    await page.locator("#run-traffic").screenshot({ path: `${PAGES}zoomed.png` });
  });
});

test("the cursor reads values by keyboard and by pointer, and lines are switched off", async () => {
  await looking("troubled", {}, async (page) => {
    const chart = page.locator("#run-delivery");
    const readout = chart.locator(".readout");
    await chart.locator(".canvas").focus();
    await page.keyboard.press("End");
    assert.match(await readout.textContent(), /^at 63\.412 s.*p50 1\.56 ms.*p99 24\.1 ms/);
    await page.keyboard.press("Escape");
    assert.equal(await readout.isVisible(), false);

    await chart.scrollIntoViewIfNeeded();
    const box = await chart.locator(".canvas").boundingBox();
    await page.mouse.move(box.x + box.width * (32 / 63.412), box.y + 60);
    assert.match(await readout.textContent(), /^at 32 s.*p99 900 ms/);
    const button = chart.getByRole("button", { name: "p99" });
    await button.click();
    assert.equal(await button.getAttribute("aria-pressed"), "false");
    assert.equal(await chart.locator("path.line").nth(3).isVisible(), false);
  });
});

/** Opens a page from the disk, offline, and looks whether it complained, asked for something or ran what it must not. */
async function looking(name, options, look) {
  const context = await browser.newContext({ viewport: DESKTOP, offline: true, ...options });
  context.setDefaultTimeout(PATIENCE);
  const [asked, complaints] = [[], []];
  const page = await context.newPage();
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  page.on("request", (request) => request.url().startsWith("data:") || asked.push(request.url()));
  try {
    await page.goto(pathToFileURL(`${PAGES}${name}.html`).href);
    await look(page, { asked });
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

function everythingOpen(page) {
  return page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
}

// What follows runs in the page.

/** Elements that are wider than the page and not inside of something that scrolls. */
function whatSticksOut() {
  const width = document.documentElement.clientWidth;
  const beyond = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > width + 1 && !element.closest(".scroll");
  });
  const inside = [...document.querySelectorAll(".scroll")].filter(
    (scroll) => matchMedia("print").matches && scroll.scrollWidth > scroll.clientWidth + 1,
  );
  return [...beyond, ...inside].map((element) => element.outerHTML.slice(0, 120));
}

/** Texts whose contrast to what is behind them is below 4.5. */
function faintTexts() {
  const numbers = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  const over = (front, back) => front.rgb.map((value, index) => value * front.alpha + back[index] * (1 - front.alpha));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(numbers(getComputedStyle(at).backgroundColor));
    return layers.reduce((back, layer) => over(layer, back), [255, 255, 255]);
  };
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = new Set();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !element.checkVisibility() || element.closest("script, title, desc")) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const front = over(numbers(element instanceof SVGElement ? style.fill : style.color), back);
    const [low, high] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) faint.add(`${contrast.toFixed(2)}: ${element.tagName} ${element.className.baseVal ?? element.className}`);
  }
  return [...faint];
}

/** What the structure of the page lacks for those who hear it. */
function whatAReaderMisses() {
  const missed = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const demand = (holds, what) => holds || missed.push(what);
  demand(document.documentElement.lang === "en", "the language of the page");
  for (const landmark of ["main", "nav[aria-label]", "body > footer", "body > header", "h1"]) {
    demand(all(landmark).length === 1, `one ${landmark}, there are ${all(landmark).length}`);
  }
  let before = 0;
  for (const heading of all("h1, h2, h3, h4")) {
    const level = Number(heading.tagName[1]);
    demand(level <= before + 1, `a level before ${heading.tagName} ${heading.textContent}`);
    before = level;
  }
  for (const table of all("table")) {
    const what = table.querySelector("caption")?.textContent;
    demand(what, `a caption of ${table.outerHTML.slice(0, 80)}`);
    demand([...table.querySelectorAll("th")].every((head) => head.scope), `the scope of a heading in ${what}`);
  }
  for (const plot of all("svg.plot")) {
    const named = plot.getAttribute("aria-labelledby").split(" ").map((id) => document.getElementById(id)?.textContent);
    demand(plot.getAttribute("role") === "img" && named.length === 2 && named.every(Boolean), `title and description of ${plot.outerHTML.slice(0, 80)}`);
    demand(plot.closest("figure").querySelector("details.values table"), "the values of a chart as a table");
  }
  for (const svg of all("svg:not(.plot):not(.plot svg)")) {
    demand(svg.closest("[aria-hidden=true]"), `to hide ${svg.outerHTML.slice(0, 80)}`);
  }
  for (const sign of all(".sign")) demand(sign.parentElement.textContent.trim().length > 2, "a word beside a sign");
  for (const input of all("input")) demand(input.labels.length, `a label of ${input.outerHTML}`);
  return missed;
}
