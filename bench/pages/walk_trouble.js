// Pages of our own faults and of requests that are too much.

import { addOne } from "./walk_buying.js";

export async function inTrouble(hands) {
  const { page } = hands;
  await addOne(hands);
  await hands.go("/products/tidal-rings-tee");
  await hands.unchecked("form.order");
  await hands.fill({ text: "x".repeat(20_000) });
  await hands.press(".add button", 413);
  await hands.look("error-413");

  await hands.go("/products/tidal-rings-tee");
  await page.$eval("form.order input[name=idempotency_key]", (each) => (each.value = ""));
  await hands.press(".add button", 422);
  await hands.look("product-without-key");

  await hands.act("schema", "broken");
  try {
    await hands.see("error-500", "/products/tidal-rings-tee", 500);
  } finally {
    await hands.act("schema", "whole");
  }

  await hands.go("/checkout");
  await hands.act("database", "away");
  try {
    await hands.see("error-503", "/cart", 503);
    await hands.see("error-503-home", "/", 503);
  } finally {
    await hands.act("database", "back");
  }
  for (let tries = 0; tries < 20 && (await hands.go("/cart")).status() !== 200; tries += 1)
    await new Promise((done) => setTimeout(done, 500));
  await hands.press("form:not(.pieces) > button.link", 200);
}
