// A customer's way through every state of the shop's pages. `hands.look(name)` is called on each of them.

import { aroundAnAccount } from "./walk_account.js";
import { browsing } from "./walk_browsing.js";
import { buying } from "./walk_buying.js";
import { designing } from "./walk_designing.js";
import { paying } from "./walk_paying.js";
import { inTrouble } from "./walk_trouble.js";

const PUBLIC_WALKS = [browsing, designing, buying];
// These change stock, prices, provider or database, so they need a shop of their own.
const BACKSTAGE_WALKS = [paying, aroundAnAccount, inTrouble];

export async function walk(hands) {
  for (const each of PUBLIC_WALKS) await each(hands);
  if (!hands.backstage) return;
  for (const each of BACKSTAGE_WALKS) await each(hands);
}
