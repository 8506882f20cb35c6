// A customer's way through every state of the shop's pages. `look(name)` is called on each of them.

const ADDRESS = { email: "ada@example.org", name: "Ada Lovelace", street: "Ring 1", postcode: "10115", city: "Berlin" };
const PLAIN = {
  home: "/", category: "/categories/hoodies", search: "/search?q=moon", "search-none": "/search?q=zzzzq",
  "search-empty": "/search", "cart-empty": "/cart", "orders-empty": "/orders", error: "/nowhere",
  "sign-in": "/account/sign-in", "sign-up": "/account/sign-up",
};
const PICTURE_MS = 900; // the design is asked for a quarter of a second after the last key

export async function walk(page, shop, look) {
  const go = (path) => page.goto(shop + path, { waitUntil: "networkidle0" });
  const press = (button) =>
    Promise.all([page.waitForNavigation({ waitUntil: "networkidle0" }), page.$eval(button, (each) => each.click())]);
  const settle = () => new Promise((done) => setTimeout(done, PICTURE_MS));

  for (const [name, path] of Object.entries(PLAIN)) {
    await go(path);
    await look(name);
  }
  for (const path of await page.$$eval('.foot a[href^="/legal/"]', (links) => links.map((each) => each.pathname))) {
    await go(path);
    await look(path.slice(1).replace("/", "-"));
  }
  await go("/");
  if (await page.$eval(".menu", (menu) => menu.checkVisibility())) {
    await page.click(".menu summary");
    await look("menu");
  }

  await go("/products/aurel-one-watch");
  await page.type("#text", "For Ada, always");
  await settle();
  await look("product-engraved");
  await press(".add button");

  await go("/products/tidal-rings-tee");
  await look("product");
  await page.$eval("input[value=orion-rising]", (motif) => motif.click());
  await page.$eval("input[value=back]", (place) => place.click());
  await page.$eval("#colour-clay", (colour) => colour.click());
  await page.type("#text", "Summer in Lisbon");
  await settle();
  await look("product-designed");
  await press(".add button");
  await look("cart");

  await go("/checkout");
  await look("checkout");
  await page.$eval("form.two", (form) => (form.noValidate = true));
  await press("form.two button.wide");
  await look("checkout-refused");
  for (const [name, value] of Object.entries(ADDRESS))
    await page.$eval(`#${name}`, (field, typed) => (field.value = typed), value);
  await press("form.two button.wide");
  await look("receipt");
  await go("/orders");
  await look("orders");

  await go("/account/sign-in");
  await page.type("#email", "nobody@example.org");
  await page.type("#password", "a wrong password");
  await press(".narrow button.wide");
  await look("sign-in-refused");
}
