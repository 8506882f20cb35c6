// node look.js URL [--screenshots FOLDER] [--only 390|1440|noscript] [--walk NAME] [--backstage URL]
// axe-core, sizes and screenshots of every state of the pages, at 390 and 1440 px, and all of it without JavaScript.
// Prints one line for each finding and ends with 1 if there is any. `python bench/pages` starts a shop for it.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { browsing } from "./browser.js";
import { Hands } from "./hands.js";
import { walks } from "./journey.js";
import { judged, PHONE, WALL } from "./judging.js";
import { measured, SMALLEST_TARGET } from "./measures.js";

const { values: wanted, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    screenshots: { type: "string" }, only: { type: "string" }, walk: { type: "string" }, backstage: { type: "string" },
  },
});
const [shop] = positionals;
if (!shop) {
  console.error("usage: node look.js URL [--screenshots FOLDER] [--only 390|1440|noscript] [--walk NAME] [--backstage URL]");
  process.exit(2);
}
const WAYS = {
  390: { viewport: PHONE, scripts: true },
  1440: { viewport: WALL, scripts: true },
  noscript: { viewport: PHONE, scripts: false },
};
const EXPECTED_ERROR = /status of [45]\d\d/; // the walk compares each status itself

const findings = [];
await browsing(async (browser) => {
  for (const [name, way] of Object.entries(WAYS)) if (!wanted.only || wanted.only === name) await lookAt(browser, name, way);
});
for (const each of findings) console.log(each);
console.log(`${findings.length} findings`);
process.exitCode = findings.length ? 1 : 0;

async function lookAt(browser, way, how) {
  let seen = 0;
  for (const [name, walk] of Object.entries(walks(wanted.backstage)))
    if (!wanted.walk || wanted.walk === name) seen += await walked(browser, way, how, walk);
  console.log(`${seen} states of pages seen: ${way}`);
}

async function walked(browser, way, { viewport, scripts }, walk) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(viewport);
  await page.setJavaScriptEnabled(scripts);
  page.on("pageerror", (error) => findings.push(`${way} script: ${error.message}`));
  page.on("console", (line) => {
    if (line.type() === "error" && !EXPECTED_ERROR.test(line.text())) findings.push(`${way} ${page.url()}: ${line.text()}`);
  });
  let last = "none";
  let seen = 0;
  const look = async (name) => {
    seen += 1;
    last = name;
    if (scripts) findings.push(...(await judged(page)).map((each) => `${way} ${name}: ${each}`));
    for (const each of await page.evaluate(measured, SMALLEST_TARGET)) findings.push(`${way} ${name}: ${each}`);
    if (wanted.screenshots) await page.screenshot({ path: join(wanted.screenshots, `${name}-${way}.png`), fullPage: true });
  };
  try {
    await walk(new Hands(page, shop, { scripts, backstage: wanted.backstage, look }));
  } catch (error) {
    findings.push(`${way}: the walk ended after "${last}": ${error.stack}`);
  }
  if (wanted.backstage) await fetch(`${wanted.backstage}/as-new`, { method: "POST" });
  await context.close();
  return seen;
}
