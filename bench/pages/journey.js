// A customer's ways through every state of the shop's pages. `hands.look(name)` is called on each of them. Each way
// begins with a browser that knows nothing yet, so one that fails takes no other with it.

import { aroundAnAccount } from "./walk_account.js";
import { browsing } from "./walk_browsing.js";
import { buying } from "./walk_buying.js";
import { changing } from "./walk_changing.js";
import { designing } from "./walk_designing.js";
import { lapsing } from "./walk_lapsing.js";
import { owningData } from "./walk_own_data.js";
import { paying } from "./walk_paying.js";
import { inTrouble } from "./walk_trouble.js";

const PUBLIC_WALKS = { browsing, designing, buying, aroundAnAccount, owningData };
// These change stock, prices, provider or database, so they need a shop of their own.
const BACKSTAGE_WALKS = { paying, lapsing, changing, inTrouble };

export function walks(hasBackstage) {
  return hasBackstage ? { ...PUBLIC_WALKS, ...BACKSTAGE_WALKS } : PUBLIC_WALKS;
}
