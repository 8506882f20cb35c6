// What axe-core says of a page, a line for each kind of finding. It runs inside the page, which keeps its own policy.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true };
export const WALL = { width: 1440, height: 900 };

export async function judged(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(
    ({ impact, id, nodes }) => `${impact} ${id}, ${nodes.length} times, as in ${nodes[0].html.slice(0, 160)}`,
  );
}
