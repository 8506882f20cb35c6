// node report.js URL NAME PASSWORD PATH [FOLDER FOR SCREENSHOTS]
// Headquarters' pages as staff see them: signs in by the form, looks at each page, takes a file, signs out; at 390 and
// 1440 px, light and dark. Prints a line for each finding and ends with 1 if there is any.

import { join } from "node:path";
import { browsing } from "./browser.js";
import { judged, PHONE, WALL } from "./judging.js";
import { measured, SMALLEST_TARGET } from "./measures.js";

const [url, name, password, path, folder] = process.argv.slice(2);
const SIGN_OUT = 'form[action="/sign-out"] button';
const findings = [];

async function walk(browser, way, viewport, scheme) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  page.on("console", (line) => line.type() === "error" && findings.push(`${way} ${page.url()}: ${line.text()}`));
  const look = async (what, heading) => {
    for (const each of await judged(page)) findings.push(`${way} ${what}: ${each}`);
    for (const each of await page.evaluate(measured, SMALLEST_TARGET)) findings.push(`${way} ${what}: ${each}`);
    const found = await page.$eval("h1", (each) => each.textContent);
    if (!heading.test(found)) findings.push(`${way} ${what}: the heading is "${found}"`);
    if (folder) await page.screenshot({ path: join(folder, `report-${what}-${way}.png`), fullPage: true });
  };
  const follow = (act) => Promise.all([page.waitForNavigation(), act()]);

  await page.goto(`${url}${path}`);
  await look("sign-in", /Sign in/i);
  await page.type('input[name="name"]', name);
  await page.type('input[name="password"]', password);
  await follow(() => page.click('main button[type="submit"], main form button'));
  await page.goto(`${url}${path}`);
  await look("figures", /\d{4}-\d{2}-\d{2} to \d{4}-\d{2}-\d{2}/);
  const names = await page.$$eval("svg", (all) => all.map((each) => each.querySelector("title")?.textContent));
  if (!names.length || names.some((each) => !each)) findings.push(`${way} figures: a picture without a name`);
  const file = await page.$eval('a[href^="/download/"]', (each) => each.href);
  const cookie = (await context.cookies()).map((each) => `${each.name}=${each.value}`).join("; ");
  const taken = await fetch(file, { headers: { cookie } });
  if (taken.status !== 200 || !taken.headers.get("content-type").startsWith("text/csv"))
    findings.push(`${way} figures: ${file} is ${taken.status} ${taken.headers.get("content-type")}`);
  await page.goto(`${url}/budget`);
  await look("budget", /budget/i);
  await follow(() => page.click(SIGN_OUT));
  await page.goto(`${url}${path}`);
  await look("signed-out", /Sign in/i);
  await context.close();
}

await browsing(async (browser) => {
  for (const [size, viewport] of Object.entries({ 390: PHONE, 1440: WALL }))
    for (const scheme of ["light", "dark"]) {
      const way = `${size}-${scheme}`;
      try {
        await walk(browser, way, viewport, scheme);
      } catch (error) {
        findings.push(`${way}: the walk ended: ${error.stack}`);
      }
    }
});
for (const each of findings) console.log(each);
console.log(`${findings.length} findings`);
process.exitCode = findings.length ? 1 : 0;
