// What an account's owner can do with it: look at it, download what is kept, erase it; and what is refused on the way.

import { addOne, order } from "./walk_buying.js";
import { signUp, SEND } from "./walk_account.js";

const ERASE = "form.sheet button[data-once]";
const TRIES = 8; // more than one account has

export async function owningData(hands) {
  for (const path of ["/account", "/account/erase", "/account/my-data.json", "/account/erased"]) {
    await hands.go(path);
    hands.expect(`where ${path} leads a stranger`, new URL(hands.page.url()).pathname, whereStrangersGo(path));
  }
  await hands.look("erased-to-a-stranger");

  const person = await signUp(hands);
  await hands.see("account", "/account");
  await hands.see("erase", "/account/erase");
  await download(hands, person.email);
  await addOne(hands);
  await order(hands);
  await addOne(hands);
  await order(hands);
  await hands.see("erase-orders-under-way", "/account/erase");
  await hands.unchecked("form.sheet");
  await hands.press(ERASE, 422);
  await hands.look("erase-refused");
  await hands.fill({ password: "a wrong password" });
  await hands.choose("#confirmed");
  await hands.press(ERASE, 401);
  await hands.look("erase-wrong-password");
  await hands.go("/account/erase");
  await hands.fill({ password: person.password });
  await hands.choose("#confirmed");
  const form = await hands.entries("form.sheet");
  await hands.press(ERASE, 200);
  hands.expect("where it ends", new URL(hands.page.url()).pathname, "/account/erased");
  await hands.look("erased");
  hands.expect("status of the form that is sent again", await hands.send(form), 303);
  await hands.see("sign-in-after-erasure", "/account/sign-in");
  await hands.fill({ email: person.email, password: person.password });
  await hands.press(SEND, 401);
  await hands.look("sign-in-erased-account");

  await signUp(hands);
  await hands.go("/account/erase");
  await signedOutElsewhere(hands);
  await hands.look("erase-signed-out-elsewhere");

  await signUp(hands);
  await hands.go("/account/erase");
  let status = 401;
  for (let tries = 0; tries < TRIES && status === 401; tries += 1) {
    await hands.fill({ password: "a wrong password" });
    if (!tries) await hands.choose("#confirmed");
    status = (await hands.press(ERASE)).status();
  }
  hands.expect("status of too many tries", status, 429);
  await hands.look("erase-429");
}

const whereStrangersGo = (path) => (path === "/account/erased" ? path : "/account/sign-in");

async function download(hands, email) {
  const answer = await hands.fetched("/account/my-data.json");
  hands.expect("status of the download", answer.status, 200);
  if (!answer.headers.get("content-disposition")?.startsWith("attachment")) throw new Error("the download is no file");
  if (!(await answer.text()).includes(email)) throw new Error("the download does not know whose it is");
}

// The form of an account whose session has ended in another window.
async function signedOutElsewhere(hands) {
  hands.expect("status of signing out", await hands.send(await hands.entries(".foot form")), 303);
  await hands.fill({ password: "a wrong password" });
  await hands.choose("#confirmed");
  await hands.press(ERASE, 401);
}
