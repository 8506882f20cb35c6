// The browser of all looks: Chromium, or what CHROMIUM names.

import puppeteer from "puppeteer-core";

export async function browsing(use) {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
    protocolTimeout: 240_000,
  });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}
