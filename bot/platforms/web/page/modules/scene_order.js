// Another order for the scenes of a list: dragged by the handle, or moved by keys on it. The list stays; its rows move in it.

const EDGE = 64; // pixels from the conversation's edge within which a drag scrolls it
const STEP = 14;

/**
 * Let the rows of `list` be moved by whatever in them is [data-handle]. `moved(row, to)` is told the place (from 0) when a person has
 * let go or pressed a key; `allowed()` says whether they may now; `shifted(rows)` hears how they stand meanwhile.
 */
export function letReorder(list, { allowed, moved, shifted }) {
  let drag = null;

  const rows = () => [...list.children];

  const place = (y) => {
    const { row } = drag;
    const others = rows().filter((each) => each !== row);
    const before = others.find((each) => {
      const box = each.getBoundingClientRect();
      return y < box.top + box.height / 2;
    });
    if (before ? row.nextElementSibling === before : list.lastElementChild === row) return;
    list.insertBefore(row, before ?? null);
    shifted(rows());
  };

  const scroll = () => {
    if (!drag) return;
    const scroller = list.closest(".scroller");
    const box = scroller?.getBoundingClientRect();
    const step = !box ? 0 : drag.y < box.top + EDGE ? -STEP : drag.y > box.bottom - EDGE ? STEP : 0;
    if (step) {
      scroller.scrollTop += step;
      place(drag.y);
    }
    drag.frame = requestAnimationFrame(scroll);
  };

  const end = (keep) => {
    if (!drag) return;
    const { row, from, handle, frame, pointer } = drag;
    drag = null;
    cancelAnimationFrame(frame);
    if (list.hasPointerCapture(pointer)) list.releasePointerCapture(pointer);
    row.classList.remove("is-dragged");
    list.classList.remove("is-sorting");
    const to = rows().indexOf(row);
    if (!keep) list.insertBefore(row, rows().filter((each) => each !== row)[from] ?? null);
    shifted(rows());
    handle.focus({ preventScroll: true });
    if (keep && to !== from) moved(row, to);
  };

  list.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-handle]");
    if (!handle || event.button !== 0 || drag || !allowed()) return;
    const row = handle.closest("li");
    event.preventDefault();
    handle.focus({ preventScroll: true });
    list.setPointerCapture(event.pointerId); // not the row: one that moves in the page loses its pointer
    drag = { row, handle, from: rows().indexOf(row), y: event.clientY, pointer: event.pointerId };
    row.classList.add("is-dragged");
    list.classList.add("is-sorting");
    drag.frame = requestAnimationFrame(scroll);
  });
  list.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    drag.y = event.clientY;
    place(event.clientY);
  });
  list.addEventListener("pointerup", (event) => drag?.pointer === event.pointerId && end(true));
  list.addEventListener("pointercancel", () => end(false));
  list.addEventListener("lostpointercapture", () => end(false));

  list.addEventListener("keydown", (event) => {
    if (drag && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      end(false);
      return;
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const onHandle = Boolean(event.target.closest("[data-handle]"));
    const row = event.target.closest("li");
    if (!step || !row || !(onHandle || event.altKey) || event.ctrlKey || event.metaKey || drag || !allowed()) return;
    event.preventDefault();
    const to = rows().indexOf(row) + step;
    if (to >= 0 && to < rows().length) moved(row, to);
  });

  return { get dragging() { return drag !== null; } };
}

/** Bring the rows into this order; whatever has the focus keeps it, though its row has moved. */
export function arrange(list, wanted) {
  if (wanted.length === list.children.length && wanted.every((node, at) => list.children[at] === node)) return;
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const { selectionStart, selectionEnd } = focused ?? {};
  for (const node of [...list.children]) if (!wanted.includes(node)) node.remove();
  wanted.forEach((node, at) => {
    if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
  });
  if (!focused?.isConnected || document.activeElement === focused) return;
  focused.focus({ preventScroll: true });
  if (focused.tagName === "TEXTAREA") focused.setSelectionRange(selectionStart, selectionEnd);
}
