// Everything works without this file. It saves a click here and there.
(() => {
  "use strict";
  const price = document.querySelector("[data-price]");
  const show = () => {
    const size = document.querySelector("input[name=size]:checked");
    if (price && size) price.textContent = size.dataset.label;
  };
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.name === "size") show();
    if (field.matches("[data-submit]")) field.form.requestSubmit();
  });
  // The server takes an order once in any case; this spares the second request.
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-once]");
    if (button) setTimeout(() => { button.disabled = true; button.textContent = "One moment…"; });
  });
  document.documentElement.classList.add("scripted");
  show();
})();
