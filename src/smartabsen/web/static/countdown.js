// Counts seconds down in an element. The server says how many are left, so the clock of this computer does not matter.

/**
 * @param {HTMLElement} element shows the time left as 9:59
 * @param {number} seconds that are left now
 * @param {() => void} onEnd called once, when none is left
 */
export function countDown(element, seconds, onEnd) {
  const end = performance.now() + seconds * 1000;
  const show = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    element.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0) {
      clearInterval(timer);
      onEnd();
    }
  };
  const timer = setInterval(show, 500);
  show();
}
