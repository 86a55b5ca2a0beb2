// The official client of Socket.IO 2 in a real browser, against a server that lets it in.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, launch } from "./chromium.js";

const { SOCKRATES_URL } = process.env;
if (!SOCKRATES_URL) throw new Error("SOCKRATES_URL does not say which server to test; with-server.js sets it");
const home = new URL("/", SOCKRATES_URL);
const client = fileURLToPath(new URL("../node2/node_modules/socket.io-client/dist/socket.io.js", import.meta.url));

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
  test(`two pages hear each other in a room, text and bytes, over ${transports.join(" and then ")}`, async (t) => {
    const room = transports.join("-");
    const [ann, ben] = [await page(t), await page(t)];
    for (const person of [ann, ben]) await person.evaluate(enter, { transports, room });
    await ann.evaluate(
      (room) => window.ask("t:cast", { from: "socket", to: [room] }, "news", ["grüße 🧦", new Uint8Array([0, 255]).buffer]),
      room,
    );
    await ben.waitForFunction(() => window.heard.length > 0, null, { timeout: PATIENCE });
    assert.deepEqual(await ben.evaluate(() => window.heard), [["grüße 🧦", [0, 255]]]);
    // Behind an acknowledged round trip nothing earlier can hide.
    await ann.evaluate(() => window.ask("message-with-ack", 1));
    assert.deepEqual(await ann.evaluate(() => window.heard), [], "the sender hears nothing");
    assert.equal(await ben.evaluate(() => window.socket.io.engine.transport.name), transports.at(-1));
  });
}

async function page(t) {
  // The page of the server allows its own scripts alone.
  const page = await browser.newPage({ bypassCSP: true });
  t.after(() => page.close());
  await page.goto(home.href);
  await page.addScriptTag({ path: client });
  return page;
}

/** In the page: connects, waits for the upgrade if one follows, and joins the room. */
async function enter({ transports, room }) {
  const socket = window.io({ forceNew: true, transports });
  Object.assign(window, { socket, heard: [] });
  window.ask = (...args) => new Promise((resolve) => socket.emit(...args, resolve));
  socket.on("news", (text, bytes) => window.heard.push([text, [...new Uint8Array(bytes)]]));
  const upgraded = transports.length > 1 && new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  await upgraded;
  await window.ask("t:join", [room]);
}
