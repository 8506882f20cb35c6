// What axe does not say. `measured` runs in the page, so it can use nothing from outside itself.

export const SMALLEST_TARGET = 24; // CSS pixels, WCAG 2.2, 2.5.8

export function measured(smallest) {
  const found = [];
  // Not innerWidth: a phone zooms out until the whole page fits, and that is as wide as the page then.
  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wider > 0) found.push(`the page is ${wider} px wider than the screen`);
  const main = document.querySelector("main");
  const edge = main.getBoundingClientRect().right - parseFloat(getComputedStyle(main).paddingRight);
  for (const part of main.querySelectorAll("h1, h2, p, dd, form, .sheet")) {
    const beyond = Math.round(part.getBoundingClientRect().right - edge);
    if (beyond > 0 && !part.closest(".hidden")) found.push(`${beyond} px beyond the margin: ${part.outerHTML.slice(0, 120)}`);
  }
  for (const target of document.querySelectorAll("footer a, footer button, header a, header button, summary")) {
    const { width, height } = target.getBoundingClientRect();
    const hidden = width === 0 || target.matches(".skip");
    if (!hidden && Math.min(width, height) < smallest)
      found.push(`target of ${Math.round(width)} × ${Math.round(height)} px: ${target.textContent.trim()}`);
  }
  const add = document.querySelector(".add button");
  // While the question whether to count stands at the bottom, the button waits in its place in the page.
  const isFresh = !document.querySelector(".problems, [data-ask][open]");
  if (add && isFresh && innerWidth < 500 && scrollY === 0 && add.getBoundingClientRect().bottom > innerHeight + 4)
    found.push(`"Add to cart" begins below the first screen, at ${add.getBoundingClientRect().top} px`);
  const asks = document.querySelector("[data-ask][open]");
  if (asks && scrollY === 0 && asks.getBoundingClientRect().bottom > innerHeight + 4)
    found.push("the question whether to count stands below the first screen");
  for (const picture of document.images)
    if (picture.complete && picture.naturalWidth === 0) found.push(`a picture is missing: ${picture.src}`);
  if (!document.title || !document.documentElement.lang) found.push("a page without title or language");
  return found;
}
