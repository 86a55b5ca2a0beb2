// The browser that the tests of this folder look at pages with.
import { chromium } from "playwright-core";

export const PATIENCE = 10_000; // for something that is certain to come; a test that needs it has failed

const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser without a window. Each launch has a profile of its own, which is gone with it. */
export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
}
