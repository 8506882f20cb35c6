// Looking around as a stranger: every page that an address alone leads to.

const SEEN = {
  home: "/",
  category: "/categories/hoodies",
  "category-sorted": "/categories/t-shirts?sort=-price",
  "category-next": "/categories/t-shirts?page=2",
  "category-past-the-end": "/categories/hoodies?page=40",
  "category-devices": "/categories/headphones",
  search: "/search?q=moon",
  "search-one-word-long": `/search?q=${"Donaudampfschifffahrt".repeat(3)}`,
  "search-none": "/search?q=zzzzq",
  "search-empty": "/search",
  "search-past-the-end": "/search?q=moon&page=40",
  "cart-empty": "/cart",
  "checkout-empty": "/checkout",
  "orders-empty": "/orders",
  "sign-in": "/account/sign-in",
  "sign-up": "/account/sign-up",
};
const REFUSED = {
  "error-404": ["/nowhere", 404],
  "error-404-order": ["/orders/00000000-0000-4000-8000-000000000000/receipt", 404],
  "error-404-unreadable": ["/products/%0A", 404],
  "error-405": ["/account/sign-out", 405],
  "error-414": [`/search?q=${"long".repeat(600)}`, 414],
};

export async function browsing(hands) {
  for (const [name, path] of Object.entries(SEEN)) await hands.see(name, path);
  for (const [name, [path, status]] of Object.entries(REFUSED)) await hands.see(name, path, status);
  await hands.go("/");
  const links = await hands.page.$$eval('.foot a[href^="/legal/"]', (all) => all.map((each) => each.pathname));
  for (const path of links) await hands.see(path.slice(1).replace("/", "-"), path);
  await hands.go("/");
  if (await hands.page.$eval(".menu", (menu) => menu.checkVisibility())) {
    await hands.page.click(".menu summary");
    await hands.look("menu");
  }
  await hands.go("/");
  await hands.page.keyboard.press("Tab");
  await hands.look("focus-skip");
}
