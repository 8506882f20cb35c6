// node look.js URL [FOLDER]: axe-core, sizes and screenshots of every state of the pages, at 390 and 1440 px.
// Prints one line for each finding and ends with 1 if there is any.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { walk } from "./journey.js";

const [shop, folder] = process.argv.slice(2);
if (!shop) {
  console.error("usage: node look.js URL [FOLDER for screenshots]");
  process.exit(2);
}
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { 390: { width: 390, height: 844, isMobile: true, hasTouch: true }, 1440: { width: 1440, height: 900 } };
const SMALLEST_TARGET = 24; // CSS pixels, WCAG 2.2, 2.5.8

// Run in the page: what axe does not say.
function measured(smallest) {
  const found = [];
  const wider = document.documentElement.scrollWidth - innerWidth;
  if (wider > 0) found.push(`the page is ${wider} px wider than the screen`);
  for (const target of document.querySelectorAll("footer a, footer button, header a, header button, summary")) {
    const { width, height } = target.getBoundingClientRect();
    const hidden = width === 0 || target.matches(".skip");
    if (!hidden && Math.min(width, height) < smallest)
      found.push(`target of ${Math.round(width)} × ${Math.round(height)} px: ${target.textContent.trim()}`);
  }
  const add = document.querySelector(".add button");
  if (add && innerWidth < 500 && scrollY === 0 && add.getBoundingClientRect().bottom > innerHeight + 4)
    found.push(`"Add to cart" begins below the first screen, at ${add.getBoundingClientRect().top} px`);
  return found;
}

const findings = [];
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  for (const [width, viewport] of Object.entries(SIZES)) {
    const page = await (await browser.createBrowserContext()).newPage();
    await page.setViewport(viewport);
    page.on("pageerror", (error) => findings.push(`${width} script: ${error.message}`));
    page.on("console", (line) => {
      if (line.type() === "error" && !/status of 4\d\d/.test(line.text())) findings.push(`${width} ${page.url()}: ${line.text()}`);
    });
    let seen = 0;
    await walk(page, shop, async (name) => {
      seen += 1;
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      for (const each of violations)
        findings.push(`${width} ${name}: ${each.impact} ${each.id}, ${each.nodes.length} times, as in ${each.nodes[0].html.slice(0, 160)}`);
      for (const each of await page.evaluate(measured, SMALLEST_TARGET)) findings.push(`${width} ${name}: ${each}`);
      if (folder) await page.screenshot({ path: join(folder, `${name}-${width}.png`), fullPage: true });
    });
    console.log(`${seen} states of pages seen at ${width} px`);
  }
} finally {
  await browser.close();
}
for (const each of findings) console.log(each);
console.log(`${findings.length} findings`);
process.exitCode = findings.length ? 1 : 0;
