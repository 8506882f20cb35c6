// A product at each step of its design, with the picture that goes with it, and forms that come back.

const PICTURE_MS = 1200; // the design is asked for a quarter of a second after the last key
const NEXT = "button[data-look]";

// See the picture of what was chosen: by script, or by the button that stands there without one.
async function shown(hands) {
  if (hands.scripts) await new Promise((done) => setTimeout(done, PICTURE_MS));
  else await hands.press(NEXT, 200);
}

// A page that the browser kept while the customer was elsewhere sends requests of its own, not the last one again.
async function goneBack(hands) {
  if (!hands.scripts) return;
  await hands.go("/products/tidal-rings-tee");
  const key = () => hands.page.$eval("form.order input[name=idempotency_key]", (each) => each.value);
  const before = await key();
  await hands.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  if (before === (await key())) throw new Error("a page from the browser's memory would send its last form again");
  await hands.press(".add button", 200);
}

export async function designing(hands) {
  const { page } = hands;
  await hands.go("/products/aurel-one-watch");
  await hands.look("device");
  await page.type("#text", "For Ada, always");
  await shown(hands);
  await hands.look("device-engraved");
  hands.expect("words on the plate", await page.$eval(".shot svg text", (each) => each.textContent), "For Ada, always");
  await hands.press(".add button", 200);

  await hands.go("/products/tidal-rings-tee");
  await hands.look("product");
  await hands.choose("input[value=orion-rising]");
  await shown(hands);
  await hands.look("product-motif");
  await hands.choose("input[value=back]");
  await shown(hands);
  await hands.look("product-back");
  await hands.choose("#colour-clay");
  await shown(hands);
  await hands.look("product-colour");
  await page.type("#text", "Summer in Lisbon");
  await shown(hands);
  await hands.look("product-designed");
  await hands.press(".add button", 200);

  await goneBack(hands);
  for (const [name, entries] of Object.entries({
    "product-no-pieces": { quantity: "0" },
    "product-too-many": { quantity: "21" },
    "product-words-too-long": { text: "W".repeat(25) },
    "product-words-unreadable": { text: "a\u0007b" },
  })) {
    await hands.go("/products/tidal-rings-tee");
    await hands.unchecked("form.order");
    await hands.fill(entries);
    await hands.press(".add button", 422);
    await hands.look(name);
  }
  await hands.go("/products/tidal-rings-tee");
  await hands.unchecked("form.order");
  await page.$eval("input[name=colour]:checked", (each) => (each.value = "plaid"));
  await page.$eval("input[name=size]:checked", (each) => (each.value = "XXXXL"));
  await hands.press(".add button", 422);
  await hands.look("product-not-on-offer");
}
