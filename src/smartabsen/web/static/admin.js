// The administrators' pages: parts that renew themselves, and questions before what cannot be undone quickly.

const HIDDEN_MS = 1000;

function poll(element) {
  const everyMs = Number(element.dataset.every) * 1000;
  let etag = "";
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

function replace(element, html) {
  const open = new Set(Array.from(element.querySelectorAll("details[open][id]"), (each) => each.id));
  const focused = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  // From our own server, which has escaped every name in it.
  element.innerHTML = html;
  for (const id of open) element.querySelector(`#${id}`)?.setAttribute("open", "");
  if (focused) element.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

// On a phone the navigation is a strip: where one is must be in sight.
const strip = document.querySelector(".desk-nav");
const current = strip?.querySelector("[aria-current]");
if (current) strip.scrollLeft = current.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;

for (const element of document.querySelectorAll("[data-poll]")) poll(element);

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
