// The administrators' pages: parts that renew themselves, and questions before what cannot be undone quickly.

const HIDDEN_MS = 1000;

function poll(element) {
  const everyMs = Number(element.dataset.every) * 1000;
  let etag = element.dataset.etag ?? "";
  const ask = async () => {
    if (document.hidden) return HIDDEN_MS;
    let response;
    try {
      response = await fetch(element.dataset.poll, {
        headers: etag ? { "If-None-Match": etag } : {},
        cache: "no-store",
        credentials: "same-origin",
        redirect: "manual",
      });
    } catch {
      return 2 * everyMs;
    }
    // The session has ended: the login page says so.
    if (response.type === "opaqueredirect" || response.status === 401) {
      location.reload();
      return 10 * everyMs;
    }
    if (response.status !== 200) return 2 * everyMs;
    etag = response.headers.get("ETag") ?? "";
    replace(element, await response.text());
    return everyMs;
  };
  const loop = async () => {
    setTimeout(loop, await ask());
  };
  setTimeout(loop, everyMs);
}

// On a phone a chart is wider than the screen: its newest part, at the right, is what people look for.
function showNewest(box) {
  box.scrollLeft = box.scrollWidth;
}

function atNewest(box) {
  return box.scrollLeft >= box.scrollWidth - box.clientWidth - 1;
}

function replace(element, html) {
  const open = new Set(Array.from(element.querySelectorAll("details[open][id]"), (each) => each.id));
  const scrolled = Array.from(element.querySelectorAll(".chart-scroll"), atNewest);
  const places = Array.from(element.querySelectorAll(".chart-scroll"), (box) => box.scrollLeft);
  const focused = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  // From our own server, which has escaped every name in it.
  element.innerHTML = html;
  for (const [number, box] of element.querySelectorAll(".chart-scroll").entries()) {
    if (scrolled[number] ?? true) showNewest(box);
    else box.scrollLeft = places[number];
  }
  for (const id of open) element.querySelector(`#${id}`)?.setAttribute("open", "");
  if (focused) element.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

// On a phone the navigation is a strip: where one is must be in sight.
const strip = document.querySelector(".desk-nav");
const current = strip?.querySelector("[aria-current]");
if (current) strip.scrollLeft = current.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;

for (const box of document.querySelectorAll(".chart-scroll")) showNewest(box);
for (const element of document.querySelectorAll("[data-poll]")) poll(element);

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
