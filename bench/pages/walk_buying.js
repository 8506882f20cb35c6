// Cart, checkout and a paid order as a guest.

export const ADDRESS = {
  email: "ada@example.org", name: "Ada Lovelace", street: "Ring 1", postcode: "10115", city: "Berlin",
};
export const ORDER = "form.two button.wide";

export async function buying(hands) {
  const { page } = hands;
  await hands.see("cart", "/cart");
  await hands.unchecked("form.pieces");
  await page.$eval("form.pieces input[type=number]", (each) => (each.value = "99"));
  await hands.press("form.pieces button", 409);
  await hands.look("cart-too-many");
  await hands.go("/cart");
  await hands.unchecked("form.pieces");
  await page.$eval("form.pieces input[type=number]", (each) => (each.value = ""));
  await hands.press("form.pieces button", 422);
  await hands.look("cart-no-number");
  await hands.go("/cart");
  await page.$eval("form.pieces input[type=number]", (each) => (each.value = "2"));
  await hands.press("form.pieces button", 200);
  await hands.look("cart-changed");

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

// One tee, plain as it is, in the cart.
export async function addOne(hands, product = "tidal-rings-tee", quantity = "1") {
  await hands.go(`/products/${product}`);
  await hands.fill({ quantity });
  await hands.press(".add button", 200);
}

// Order what is in the cart; the form remembers where the last order went.
export async function order(hands, token = "tok_visa", status = 200) {
  await hands.go("/checkout");
  await hands.fill(ADDRESS);
  await hands.choose(`input[value=${token}]`);
  await hands.press(ORDER, status);
}
