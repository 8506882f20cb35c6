// What a customer does with a page. Nothing here needs the page's own scripts, so it works without them as well.

const LONG_WAIT_MS = 60_000; // the machine may be busy

export class Hands {
  constructor(page, shop, { scripts, backstage, look }) {
    this.page = page;
    this.shop = shop;
    this.scripts = scripts;
    this.backstage = backstage;
    this.look = look;
    page.setDefaultTimeout(LONG_WAIT_MS);
  }

  async go(path) {
    return this.page.goto(this.shop + path, { waitUntil: "networkidle0" });
  }

  async see(name, path, status = 200) {
    const answer = await this.go(path);
    this.expect(`status of ${path}`, answer.status(), status);
    await this.look(name);
  }

  // Press what sends a form or leads on, and wait for the next page; returns its status.
  async press(button, status) {
    const [answer] = await Promise.all([
      this.page.waitForNavigation({ waitUntil: "networkidle0" }),
      this.page.$eval(button, (each) => each.click()),
    ]);
    if (status !== undefined) this.expect(`status after ${button}`, answer.status(), status);
    return answer;
  }

  // Choose a radio button by hand, which `change` and `input` events follow.
  async choose(control) {
    await this.page.$eval(control, (each) => each.click());
  }

  async fill(fields) {
    for (const [name, value] of Object.entries(fields))
      await this.page.$eval(`#${name}`, (field, typed) => (field.value = typed), value);
  }

  // What a form would send now, with `changes`; `send` sends it as a browser does that repeats a request.
  async entries(form, changes = {}) {
    const { action, typed } = await this.page.$eval(form, (each) => ({ action: each.action, typed: [...new FormData(each)] }));
    return { action, typed: { ...Object.fromEntries(typed), ...changes } };
  }

  async send({ action, typed }) {
    return (await this.fetched(action, { method: "POST", body: new URLSearchParams(typed) })).status;
  }

  // Ask as this browser would, beside the page.
  async fetched(address, options = {}) {
    const cookie = (await this.page.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const headers = { cookie, origin: this.shop };
    return fetch(new URL(address, this.shop), { redirect: "manual", headers, ...options });
  }

  async text(selector = "main") {
    return this.page.$eval(selector, (each) => each.innerText);
  }

  // Send what the browser's own checks would hold back, as an old browser does.
  async unchecked(form) {
    await this.page.$eval(form, (each) => {
      each.noValidate = true;
      for (const field of each.elements) for (const bound of ["maxlength", "max", "min"]) field.removeAttribute(bound);
    });
  }

  async expectText(words, selector) {
    const found = await this.text(selector);
    if (!found.includes(words)) throw new Error(`at ${this.page.url()}: expected "${words}", found "${found.slice(0, 400)}"`);
  }

  expect(what, found, wanted) {
    if (found !== wanted) throw new Error(`${what} at ${this.page.url()}: expected ${wanted}, found ${found}`);
  }

  // Have something done to the shop that no customer can do; see walked_shop.py.
  async act(...words) {
    const answer = await fetch(`${this.backstage}/${words.map(encodeURIComponent).join("/")}`, { method: "POST" });
    if (!answer.ok) throw new Error(`act ${words.join(" ")}: ${await answer.text()}`);
  }
}
