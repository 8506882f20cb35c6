// Tells the shop what is looked at in this tab, if its visitor said yes (docs/adr/0062-a-collector-without-a-framework.md).
// Before a yes nothing is kept or sent; after a no, what waits is gone. A browser whose owner does not want to be followed
// (Global Privacy Control) has said no. Pages and forms say what they are in data-click, as the JSON of an event.
(() => {
  const ask = document.querySelector("[data-ask]"), never = !!navigator.globalPrivacyControl;
  const said = (what) => RegExp("(^|; )clicks=" + what).test(document.cookie);
  const agreed = () => !never && said("yes");
  const now = () => Math.round(performance.timeOrigin + performance.now());
  let timer, flight, pause, stays;

  // What a tab keeps from page to page: e, the events that wait, of which the first m are batch b. It is sent as it is
  // until it is answered, with d, how many were lost until then. q numbers events; nothing is sent before the time `not`.
  const load = () => JSON.parse(sessionStorage.clicks || 0) ||
    { id: crypto.randomUUID().slice(19).replace("-", ""), b: 0, q: 0, lost: 0, not: 0, e: [] };
  const save = (tab) => sessionStorage.clicks = JSON.stringify(tab);

  const plan = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(send, wait);
  };
  const stop = () => {
    clearTimeout(timer);
    timer = flight = 0;
    delete sessionStorage.clicks;
  };

  const send = async () => {
    timer = 0;
    if (!agreed()) return stop();
    let tab = load();
    if (flight || !tab.e[0]) return;
    if (tab.not > Date.now()) return plan(tab.not - Date.now());
    if (!tab.m) tab.m = Math.min(16, tab.e.length), tab.d = tab.lost;
    const { id, b, d, e, m } = tab, mine = flight = {};
    save(tab);
    const { status, headers } = await fetch("/b", {
      method: "POST",
      body: JSON.stringify({ v: 1, tab: id, b, sent: now(), c: 1, d, e: e.slice(0, m) }),
      credentials: "omit",
      keepalive: true,
      signal: AbortSignal.timeout(2e4)
    }).catch(() => ({}));
    // A no came meanwhile, here or in another tab; or another page of this tab went on.
    if (flight !== mine) return;
    flight = 0;
    if (!agreed()) return stop();
    tab = load();
    if (tab.b !== b || tab.m !== m) return;
    if (status === 413 && m > 1) tab.m = m >> 1;
    else if ([204, 400, 413].includes(status)) {
      tab.e.splice(0, m);
      tab.m = pause = 0;
      if (status > 204) tab.lost += m;
      else tab.b++, tab.lost -= d;
    } else {
      pause = Math.min(pause * 2 || 1e3, 6e4);
      tab.not = Date.now() + Math.max(pause, headers?.get("retry-after") * 1e3 || 0) * (1 + Math.random() / 2);
    }
    save(tab);
    if (tab.e[0]) plan(tab.m || tab.e[15] ? tab.not - Date.now() : 5e3);
  };

  const tell = (click) => {
    if (!click || !agreed()) return;
    const tab = load(), { once, s, ...event } = JSON.parse(click);
    if (once && tab.once === once) return;
    tab.once = once || tab.once;
    // Words that look like a mail address or somebody's number stay here.
    if (s && !/@|(\d\D*){6}/.test(s)) event.s = s;
    if (tab.e[199]) tab.lost++;
    else tab.e.push({ ...event, at: now(), q: tab.q++ });
    save(tab);
    if (tab.e[15] && !tab.m) send();
    else if (!timer && !flight) plan(5e3);
  };
  const begin = () => {
    ask.hidden = never;
    ask.open = !said("");
    tell(document.body.dataset.click);
    timer || plan(5e3);
  };

  ask.onclick = ({ target: { value } }) => {
    if (!value) return;
    document.cookie = `clicks=${value}; max-age=15552000; path=/; samesite=lax` + (location.protocol[5] ? "; secure" : "");
    if (!agreed()) stop();
    begin();
  };
  addEventListener("submit", ({ target, submitter }) => {
    stays = true;
    if (!submitter?.hasAttribute("formaction")) tell(target.dataset.click);
  });
  // The shop's next page sends what waits; whoever leaves sends now.
  addEventListener("click", ({ target }) => stays = target.closest("a[href^='/']"));
  addEventListener("visibilitychange", () => document.hidden && !stays && send());
  addEventListener("pageshow", ({ persisted }) => persisted && begin());
  if (document.prerendering) addEventListener("prerenderingchange", begin, true);
  else begin();
})();
