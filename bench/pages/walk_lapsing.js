// Orders that are over because nobody said in time whether they are paid.

import { addOne, order } from "./walk_buying.js";

export async function lapsing(hands) {
  await hands.act("provider", "silent"); // makes the charge, and says nothing
  const taken = await pending(hands);
  await hands.act("time-is-over", taken);
  await says(hands, taken, "We are stopping the payment");
  await hands.look("receipt-lapsed");
  await hands.see("orders-lapsed", "/orders");
  await hands.see("cart-after-lapse", "/cart");
  await hands.act("provider", "well");
  await says(hands, taken, "we have given all of it back");
  await hands.look("receipt-lapsed-refunded");

  await hands.act("provider", "refuses");
  const untaken = await pending(hands);
  await hands.act("time-is-over", untaken);
  await says(hands, untaken, "We are stopping the payment");
  await says(hands, untaken, "Nothing was charged");
  await hands.look("receipt-lapsed-unpaid");
  await hands.see("orders-lapsed-twice", "/orders");
}

async function pending(hands) {
  await addOne(hands);
  await order(hands);
  await hands.expectText("We are confirming your payment");
  return new URL(hands.page.url()).pathname.split("/")[2];
}

// Look at a receipt until it says so; shop and payments service are not let wait longer and longer meanwhile.
async function says(hands, identity, words) {
  for (let tries = 0; tries < 60; tries += 1) {
    await hands.act("turn", identity);
    await hands.go(`/orders/${identity}/receipt`);
    if ((await hands.text(".outcome")).includes(words)) return;
    await new Promise((done) => setTimeout(done, 500));
  }
  await hands.expectText(words, ".outcome");
}
