// A transparent pane over a picture. The arrow keys count `steps` up and down; dragging with mouse, finger or pen
// gives `box`: left, top, right, bottom as parts (0 .. 1) of the pane; a click gives `point`: x, y.
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };
const LEAST_DRAG = 0.01;

function render({ model, el }) {
  const pane = document.createElement("div");
  pane.className = "posekit-pane";
  pane.tabIndex = 0;
  pane.title = model.get("hint");
  pane.setAttribute("role", "application");
  pane.setAttribute("aria-label", model.get("hint"));
  pane.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab takes the arrow keys for its cells
  el.classList.add("posekit-pane-host");
  el.appendChild(pane);

  pane.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || !model.get("arrows")) return;
    event.preventDefault();
    event.stopPropagation();
    model.set("steps", model.get("steps") + step);
    model.save_changes();
  });

  const band = document.createElement("div");
  band.className = "posekit-band";
  let start = null;
  const at = (event) => {
    const frame = pane.getBoundingClientRect();
    const part = (value, low, length) => Math.min(1, Math.max(0, (value - low) / length));
    return [part(event.clientX, frame.left, frame.width), part(event.clientY, frame.top, frame.height)];
  };
  const box = (event) => {
    const end = at(event);
    return [0, 1].map((i) => Math.min(start[i], end[i])).concat([0, 1].map((i) => Math.max(start[i], end[i])));
  };
  pane.addEventListener("pointerdown", (event) => {
    pane.focus({ preventScroll: true });
    if (!model.get("draggable") || event.button !== 0) return;
    start = at(event);
    pane.setPointerCapture(event.pointerId);
  });
  pane.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [left, top, right, bottom] = box(event).map((part) => 100 * part);
    Object.assign(band.style, {
      left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%`,
    });
    pane.appendChild(band);
  });
  pane.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [left, top, right, bottom] = box(event);
    start = null;
    band.remove();
    if (right - left < LEAST_DRAG && bottom - top < LEAST_DRAG) {
      model.set("point", [(left + right) / 2, (top + bottom) / 2]);
    } else if (right - left >= LEAST_DRAG && bottom - top >= LEAST_DRAG) {
      model.set("box", [left, top, right, bottom]);
    }
    model.save_changes();
  });
  pane.addEventListener("pointercancel", () => {
    start = null;
    band.remove();
  });

  const cursor = () => {
    pane.style.cursor = model.get("draggable") ? "crosshair" : "default";
    pane.style.touchAction = model.get("draggable") ? "none" : "auto";
  };
  model.on("change:draggable", cursor);
  cursor();
}

export default { render };
