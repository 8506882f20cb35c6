// Accounts: opening one, signing in and out, what comes back with a message, and too many tries.

import { addOne, order } from "./walk_buying.js";

export const SEND = ".narrow button.wide";
const TRIES = 8; // more than one address of an account has

export async function aroundAnAccount(hands) {
  const { password, ...person } = somebody();

  await hands.go("/account/sign-up");
  await hands.unchecked(".narrow form");
  await hands.press(SEND, 422);
  await hands.look("sign-up-refused");
  await hands.fill({ ...person, password: "short" });
  await hands.unchecked(".narrow form");
  await hands.press(SEND, 422);
  await hands.look("sign-up-short-password");
  await addOne(hands);
  await hands.go("/account/sign-up");
  await hands.fill({ ...person, password });
  await hands.press(SEND, 200);
  await hands.look("account-orders");
  await hands.see("account-cart", "/cart");
  await hands.see("account-checkout", "/checkout");
  await order(hands);
  await hands.look("account-receipt");
  await hands.see("account-home", "/");
  await hands.see("account-product", "/products/tidal-rings-tee");
  await hands.see("account-error-404", "/nowhere", 404);
  await hands.see("account-sign-in", "/account/sign-in");
  await hands.press(".foot form button.link", 200);
  await hands.look("signed-out");

  await hands.go("/account/sign-up");
  await hands.fill({ ...person, password });
  await hands.press(SEND, 409);
  await hands.look("sign-up-taken");
  await hands.go("/account/sign-in");
  await hands.unchecked(".narrow form");
  await hands.press(SEND, 401);
  await hands.look("sign-in-empty");
  await hands.fill({ email: person.email, password: "a wrong password" });
  await hands.press(SEND, 401);
  await hands.look("sign-in-refused");
  await hands.fill({ password });
  await hands.press(SEND, 200);
  await hands.look("signed-in");
  await hands.press(".foot form button.link", 200);

  await hands.go("/account/sign-in");
  let status = 401;
  for (let tries = 0; tries < TRIES && status === 401; tries += 1) {
    await hands.fill({ email: `nobody-${person.email}`, password: "a wrong password" });
    status = (await hands.press(SEND)).status();
  }
  hands.expect("status of too many tries", status, 429);
  await hands.look("sign-in-429");
}

const somebody = () => ({
  name: "Grace Brewster Murray Hopper",
  email: `grace-${Date.now()}@example.org`,
  password: "a long enough password",
});

// Open an account; returns whose it is.
export async function signUp(hands) {
  const person = somebody();
  await hands.go("/account/sign-up");
  await hands.fill(person);
  await hands.press(SEND, 200);
  return person;
}
