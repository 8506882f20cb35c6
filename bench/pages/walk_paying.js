// Orders whose payment does not go through at once: declined, and pending until they are confirmed.

import { addOne, order } from "./walk_buying.js";

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
