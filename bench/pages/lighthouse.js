// node lighthouse.js URL RUNS RESULTS: Lighthouse with its mobile preset on the main pages, each with a cold cache.
// Prints the median of each score and the audits that took points, and appends a line for each page to RESULTS.
// Ends with 1 when a score is below what is required.

import { appendFileSync } from "node:fs";
import { loadavg } from "node:os";
import lighthouse from "lighthouse";
import { browsing } from "./browser.js";
import { Hands } from "./hands.js";
import { addOne } from "./walk_buying.js";

const [shop, runs, results] = process.argv.slice(2);
const PAGES = { home: "/", search: "/search?q=moon", product: "/products/tidal-rings-tee", cart: "/cart", checkout: "/checkout" };
const REQUIRED = { performance: 98, accessibility: 100, "best-practices": 100, seo: 100 };
// These pages ask search engines to leave them out, which Lighthouse takes for a fault. Their score is without that audit.
const KEPT_OUT = new Set(["search", "cart", "checkout"]);
const CRAWLABLE = "is-crawlable";

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const score = (report, category) => Math.round(report.categories[category].score * 100);

await browsing(async (browser) => {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const hands = new Hands(page, shop, { scripts: true, look: async () => {} });
  await addOne(hands);
  const cookie = (await page.cookies(shop)).map(({ name, value }) => `${name}=${value}`).join("; ");
  await context.close();
  for (const [name, path] of Object.entries(PAGES)) {
    const reports = [];
    for (let run = 0; run < Number(runs); run += 1) reports.push(await measure(browser, name, path, cookie));
    say(name, reports);
  }
});

async function measure(browser, name, path, cookie) {
  const { port } = new URL(browser.wsEndpoint());
  const found = await lighthouse(shop + path, {
    port: Number(port),
    output: "json",
    logLevel: "error",
    onlyCategories: Object.keys(REQUIRED),
    skipAudits: KEPT_OUT.has(name) ? [CRAWLABLE] : [],
    extraHeaders: { Cookie: cookie }, // storage and cache are emptied before each run
  });
  if (found.lhr.runtimeError) throw new Error(`${name}: ${found.lhr.runtimeError.message}`);
  return found.lhr;
}

function say(name, reports) {
  const scores = {};
  for (const [category, least] of Object.entries(REQUIRED)) {
    const all = reports.map((each) => score(each, category));
    scores[category] = { median: median(all), all };
    if (scores[category].median < least) process.exitCode = 1;
  }
  const lost = new Set();
  for (const report of reports)
    for (const category of Object.values(report.categories))
      for (const { id, weight } of category.auditRefs) {
        const audit = report.audits[id];
        if (weight && audit && audit.score !== null && audit.score < 0.9) lost.add(`${id}: ${audit.displayValue ?? audit.title}`);
      }
  const line = {
    date: new Date().toISOString().slice(0, 10),
    page: name,
    lighthouse: reports[0].lighthouseVersion,
    scores,
    without: KEPT_OUT.has(name) ? [CRAWLABLE] : [],
    lost: [...lost],
    load_average: loadavg().map((each) => Number(each.toFixed(1))),
  };
  appendFileSync(results, `${JSON.stringify(line)}\n`);
  const told = Object.entries(scores).map(([category, { median: middle, all }]) => `${category} ${middle} (${all.join(", ")})`);
  console.log(`${name}: ${told.join(" · ")}`);
  for (const each of lost) console.log(`  ${each}`);
}
