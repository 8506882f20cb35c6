// A tab of a browser, as far as app/static/clicks.js sees one: its clock is a number, its network a list.
const made = { time: 1764500000000, timers: [], listeners: {}, asked: [], cookie: "", storage: {}, script: () => {} };

globalThis.setTimeout = (act, wait) => {
  const timer = { act, at: made.time + Math.max(wait, 0) };
  made.timers.push(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => { made.timers = made.timers.filter((each) => each !== timer); };
globalThis.addEventListener = (name, act) => { (made.listeners[name] ||= []).push(act); };
globalThis.performance = { timeOrigin: 1000000.25, now: () => made.time - 1764500000000 + 0.5 };
globalThis.crypto = { randomUUID: () => {
  const digits = () => Math.floor(Math.random() * 65536).toString(16).padStart(4, "0");
  return `${digits()}${digits()}-${digits()}-4${digits().slice(1)}-a${digits().slice(1)}-${digits()}${digits()}${digits()}`;
} };
globalThis.AbortSignal = { timeout: (after) => ({ after }) };
globalThis.fetch = (address, options) => new Promise((resolve, reject) => {
  made.asked.push({ address, options, resolve, reject, isOpen: true });
});
Date.now = () => made.time;

// A page of the shop is opened in the tab: what the page before it was about to do is gone, what it had sent is not.
made.open = ({ click, cookie, opposed, prerendering, protocol }) => {
  made.timers = [];
  made.listeners = {};
  if (cookie !== undefined) made.cookie = cookie;
  for (const each of made.asked) each.isOpen = false;
  made.ask = { hidden: true, open: false };
  globalThis.navigator = { globalPrivacyControl: opposed };
  globalThis.location = { protocol: protocol || "https:" };
  globalThis.sessionStorage = made.storage;
  globalThis.document = {
    hidden: false,
    prerendering,
    body: { dataset: { click } },
    querySelector: (found) => found === "[data-ask]" ? made.ask : null,
    get cookie() { return made.cookie; },
    set cookie(text) {
      made.lastCookie = text;
      const [pair] = text.split(";"), [name] = pair.split("=");
      made.cookie = [...made.cookie.split("; ").filter((each) => each && each.split("=")[0] !== name), pair].join("; ");
    }
  };
  made.script();
};
made.pass = (wait) => {
  const until = made.time + wait, due = made.timers.filter((each) => each.at <= until).sort((a, b) => a.at - b.at)[0];
  if (!due) { made.time = until; return 0; }
  made.time = Math.max(made.time, due.at);
  clearTimeout(due);
  due.act();
  return until - made.time || 0.001;
};
made.tell = (name, event) => { for (const act of made.listeners[name] || []) act(event); };
made.answer = (status, retryAfter) => {
  const asked = made.asked.find((each) => each.isOpen);
  asked.isOpen = false;
  if (status) asked.resolve({ status, headers: { get: (name) => name === "retry-after" ? retryAfter ?? null : null } });
  else asked.reject(new TypeError("network"));
};
made.choose = (value) => made.ask.onclick({ target: { value } });
made.says = () => JSON.stringify({
  cookie: made.cookie, lastCookie: made.lastCookie, storage: made.storage.clicks ?? null, hidden: made.ask.hidden, open: made.ask.open,
  asked: made.asked.map(({ address, options: { signal, ...options }, isOpen }) => ({ address, options, isOpen })),
  due: made.timers.map(({ at }) => at - made.time)
});
