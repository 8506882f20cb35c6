// Everything works without this file. It shows a design while it is being made, and spares second requests.
(() => {
  "use strict";
  const price = document.querySelector("[data-price]");
  const form = document.querySelector("[data-design]");
  const gallery = document.querySelector("[data-gallery]");
  const look = document.querySelector("[data-look]");

  const showPrice = () => {
    const size = document.querySelector("input[name=size]:checked");
    if (price && size) price.textContent = size.dataset.label;
  };

  let waiting = 0;
  let asked = 0;
  const showDesign = async () => {
    const mine = ++asked;
    try {
      const answer = await fetch(form.dataset.design, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine === asked) gallery.replaceChildren(...page.body.children);
    } catch {
      if (mine === asked) look.hidden = false; // the button asks for the whole page
    }
  };
  if (form && gallery) {
    look.hidden = true;
    form.addEventListener("input", (event) => {
      if (!["motif", "placement", "text"].includes(event.target.name)) return;
      clearTimeout(waiting);
      waiting = setTimeout(showDesign, 250);
    });
  }
  document.addEventListener("change", (event) => {
    if (event.target.name === "size") showPrice();
  });

  // A browser that goes back may show the page as it was left. What is sent from there is another request, not the same
  // one again; except an order, which its key keeps from being placed twice.
  const hexadecimal = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const key of document.querySelectorAll("input[name=idempotency_key]"))
      if (!key.form.querySelector("[data-once]")) key.value = hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
  });

  // The server takes an order once in any case; this spares the second request.
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-once]");
    if (!button) return;
    const words = button.textContent;
    setTimeout(() => { button.disabled = true; button.textContent = "One moment…"; });
    addEventListener("pageshow", () => { button.disabled = false; button.textContent = words; }, { once: true });
  });

  // A payment that is being confirmed: ask again, and put the outcome into its place. The rest of the page stays.
  const outcome = document.querySelector("[data-pending]");
  const lookAgain = async (tries) => {
    const answer = await fetch(location.href).catch(() => null);
    const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page && page.querySelector("[data-outcome]");
    if (news && !("pending" in news.dataset)) {
      const held = outcome.contains(document.activeElement);
      outcome.replaceChildren(...news.children);
      if (held) outcome.focus();
      document.title = page.title;
    } else if (tries) setTimeout(lookAgain, 3000, tries - 1);
  };
  if (outcome) setTimeout(lookAgain, 3000, 100);

  showPrice();
})();
