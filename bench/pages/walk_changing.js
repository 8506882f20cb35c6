// What changes between a cart and its order: prices, stock, what is on sale; and orders that are too much.

import { ADDRESS, addOne, order, ORDER } from "./walk_buying.js";

const TEE = "tidal-rings-tee";

export async function changing(hands) {
  await addOne(hands, TEE, { quantity: "3" });
  await hands.go("/checkout");
  await hands.fill(ADDRESS);
  await hands.act("price", TEE, "2");
  await hands.press(ORDER, 409);
  await hands.expectText("Your cart or a price has changed");
  await hands.look("checkout-changed");
  await hands.act("stock", TEE, "2");
  await hands.press(ORDER, 409);
  await hands.look("checkout-someone-was-faster");
  await hands.see("cart-only-some-left", "/cart");
  await hands.unchecked("form.pieces");
  await hands.press("form.pieces button", 409);
  await hands.look("cart-more-than-left");
  await hands.go(`/products/${TEE}`);
  await hands.fill({ quantity: "3" });
  await hands.press(".add button", 409);
  await hands.look("product-only-some-left");
  await hands.act("stock", TEE, "0");
  await hands.see("product-sold-out", `/products/${TEE}`);
  await hands.see("cart-sold-out", "/cart");
  await hands.act("withdraw", TEE);
  await hands.see("cart-withdrawn", "/cart");
  await hands.see("checkout-withdrawn", "/checkout");
  await hands.fill(ADDRESS);
  await hands.press(ORDER, 409);
  await hands.look("checkout-withdrawn-refused");
  await hands.see("product-withdrawn", `/products/${TEE}`, 404);
  await hands.act("as-new");

  await order(hands); // one large order alone is not too much at once
  await addOne(hands, TEE, { quantity: "3" });
  await hands.act("price", TEE, "1000");
  await order(hands, "tok_visa", 429);
  await hands.look("checkout-429-too-much-at-once");
  await hands.act("price", TEE, "20");
  await order(hands, "tok_visa", 422);
  await hands.look("checkout-more-than-one-order");
  await hands.act("as-new");
  await hands.see("cart-many-pieces", "/cart");
  await hands.press("form:not(.pieces) > button.link", 200);
}
