// Cart, checkout and a paid order as a guest.

export const ADDRESS = {
  email: "ada@example.org", name: "Ada Lovelace", street: "Ring 1", postcode: "10115", city: "Berlin",
};
export const ORDER = "form.two button.wide";

export async function buying(hands) {
  const { page } = hands;
  const pieces = "form.pieces input[type=number]";
  await addOne(hands, "aurel-one-watch", { text: "For Ada, always" });
  await addOne(hands, "tidal-rings-tee", { text: "Summer in Lisbon" });
  await hands.see("cart", "/cart");
  for (const [name, typed] of Object.entries({ "cart-no-pieces": "", "cart-more-than-we-take": "99" })) {
    await hands.go("/cart");
    await hands.unchecked("form.pieces");
    await page.$eval(pieces, (each, value) => (each.value = value), typed);
    await hands.press("form.pieces button", 422);
    await hands.look(name);
  }
  await hands.go("/cart");
  await page.$eval(pieces, (each) => (each.value = "2"));
  await hands.press("form.pieces button", 200);
  await hands.look("cart-changed");
  await sentAgain(hands);

  await hands.see("checkout", "/checkout");
  await hands.unchecked("form.two");
  await hands.press(ORDER, 422);
  await hands.look("checkout-refused");
  await hands.fill({ ...ADDRESS, email: "ada", postcode: "1" });
  await hands.unchecked("form.two");
  await hands.press(ORDER, 422);
  await hands.look("checkout-two-wrong");
  await hands.fill(ADDRESS);
  await hands.press(ORDER, 200);
  await hands.expectText("Thank you, Ada");
  await hands.look("receipt-paid");
  await hands.see("orders", "/orders");
  await hands.see("cart-after-order", "/cart");
}

// A number of pieces that the browser sends a second time, after another window has set another one.
async function sentAgain(hands) {
  const [quantity, field] = [3, "form.pieces input[type=number]"];
  await hands.go("/cart");
  const first = await hands.entries("form.pieces", { quantity });
  hands.expect("status of a number of pieces", await hands.send(first), 303);
  await hands.go("/cart");
  await hands.page.$eval(field, (each) => (each.value = "2"));
  await hands.press("form.pieces button", 200);
  hands.expect("status of the repeat", await hands.send(first), 303);
  await hands.see("cart-sent-again", "/cart");
  hands.expect("pieces after the repeat", await hands.page.$eval(field, (each) => each.value), "2");
}

// One article in the cart, as it is but for `fields`.
export async function addOne(hands, product = "tidal-rings-tee", fields = {}) {
  await hands.go(`/products/${product}`);
  await hands.fill(fields);
  await hands.press(".add button", 200);
}

// Order what is in the cart; the form remembers where the last order went.
export async function order(hands, token = "tok_visa", status = 200) {
  await hands.go("/checkout");
  await hands.fill(ADDRESS);
  await hands.choose(`input[value=${token}]`);
  await hands.press(ORDER, status);
}
