// Orders that do not go through at once: declined, pending, sold out, changed, too much.

import { addOne, order, ORDER } from "./walk_buying.js";

const TEE = "tidal-rings-tee";

export async function paying(hands) {
  const { page } = hands;
  await addOne(hands);
  await order(hands, "tok_declined");
  await hands.expectText("Your payment was declined");
  await hands.look("receipt-declined");
  await hands.see("cart-after-decline", "/cart");

  await hands.act("provider", "late");
  await order(hands);
  await hands.expectText("We are confirming your payment");
  await hands.look("receipt-pending-late");
  await hands.act("provider", "refuses");
  await addOne(hands);
  await order(hands);
  await hands.expectText("We are confirming your payment");
  await hands.look("receipt-pending-refused");
  await hands.see("orders-pending", "/orders");
  await page.goBack({ waitUntil: "networkidle0" });
  await hands.act("provider", "well");
  await outcome(hands);
  await hands.look("receipt-confirmed");
  const [, , identity] = new URL(page.url()).pathname.split("/");
  for (const state of ["being-made", "on-its-way", "delivered"]) {
    await hands.act("move-on", identity);
    await hands.see(`receipt-${state}`, `/orders/${identity}/receipt`);
  }
  await hands.see("orders-in-all-states", "/orders");

  await addOne(hands, TEE, "3");
  await hands.go("/checkout");
  await hands.act("price", TEE, "2");
  await hands.press(ORDER, 409);
  await hands.expectText("Your cart or a price has changed");
  await hands.look("checkout-changed");
  await hands.act("stock", TEE, "2");
  await hands.press(ORDER, 409);
  await hands.look("checkout-someone-was-faster");
  await hands.see("cart-only-some-left", "/cart");
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
  await hands.press(ORDER, 409);
  await hands.look("checkout-withdrawn-refused");
  await hands.see("product-withdrawn", `/products/${TEE}`, 404);
  await hands.act("as-new");

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

// Wait until a pending receipt says how it ended: by itself, or by its link.
async function outcome(hands) {
  for (let tries = 0; tries < 60; tries += 1) {
    if ((await hands.text(".outcome")).includes("Thank you")) return;
    await new Promise((done) => setTimeout(done, 1000));
    if (!hands.scripts) await hands.press(".outcome a.button", 200);
  }
  throw new Error("the receipt stayed pending");
}
