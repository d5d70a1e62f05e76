// The dialog for a signature drawn by hand: mouse, pen or finger. It gives lines, never a picture, cut to what was drawn.

import { $ } from "../draw";
import type { Strokes } from "./items";

/** Most points and lines of one drawing; the module holds the same numbers or higher ones. */
const POINTS_MAX = 5_000;
const STROKES_MAX = 200;
/** Width of a drawing on the page to begin with, and its limits as proportions. */
const WIDTH_MM = 45;
const HEIGHT_MAX_MM = 40;

export interface Drawn {
  width: number;
  height: number;
  strokes: Strokes;
}

/** Opens the dialog; null where it was closed without a drawing. */
export function drawSignature(): Promise<Drawn | null> {
  const dialog = $<HTMLDialogElement>("pad");
  const canvas = $<HTMLCanvasElement>("pad-canvas");
  const use = $<HTMLButtonElement>("pad-use");
  const strokes: [number, number][][] = [];
  const events = new AbortController();
  const { signal } = events;
  dialog.returnValue = "";
  dialog.showModal();
  const ratio = globalThis.devicePixelRatio || 1;
  const size = canvas.getBoundingClientRect();
  canvas.width = Math.round(size.width * ratio);
  canvas.height = Math.round(size.height * ratio);
  const context = canvas.getContext("2d");
  const draw = (): void => {
    use.disabled = strokes.length === 0;
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    context.lineWidth = 2.2;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = "#1f2328";
    for (const stroke of strokes) {
      context.beginPath();
      // A dot is a line of no length; round caps make it seen.
      for (const [index, [x, y]] of [...stroke, ...stroke.slice(-1)].entries()) index === 0 ? context.moveTo(x, y) : context.lineTo(x, y);
      context.stroke();
    }
  };
  let pen: number | null = null;
  const point = (event: PointerEvent): [number, number] => {
    const rect = canvas.getBoundingClientRect();
    return [Math.min(Math.max(0, event.clientX - rect.left), rect.width), Math.min(Math.max(0, event.clientY - rect.top), rect.height)];
  };
  const points = (): number => strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  canvas.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button !== 0 || strokes.length >= STROKES_MAX || points() >= POINTS_MAX) return;
    event.preventDefault();
    pen = event.pointerId;
    canvas.setPointerCapture(pen);
    strokes.push([point(event)]);
    draw();
  }, { signal });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen || points() >= POINTS_MAX) return;
    const stroke = strokes.at(-1);
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length > 0 ? steps : [event]) {
      const next = point(step);
      const last = stroke?.at(-1);
      if (!last || Math.hypot(next[0] - last[0], next[1] - last[1]) >= 1) stroke?.push(next);
    }
    draw();
  }, { signal });
  const lift = (event: PointerEvent): void => {
    if (event.pointerId === pen) pen = null;
  };
  canvas.addEventListener("pointerup", lift, { signal });
  canvas.addEventListener("pointercancel", lift, { signal });
  $("pad-clear").addEventListener("click", () => {
    strokes.length = 0;
    draw();
  }, { signal });
  $("pad-cancel").addEventListener("click", () => dialog.close("cancel"), { signal });
  use.addEventListener("click", () => dialog.close("use"), { signal });
  draw();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      events.abort();
      resolve(dialog.returnValue === "use" ? cut(strokes) : null);
    }, { once: true });
  });
}

/** The lines in a box of 0..1 by 0..1 around them, its origin at the lower left, and the size of that box on the page. */
export function cut(strokes: Strokes): Drawn | null {
  const all = strokes.flat();
  if (all.length === 0) return null;
  const [left, right] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))];
  const [top, bottom] = [Math.min(...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y))];
  // A straight line, too, has a width and a height.
  const [wide, high] = [Math.max(right - left, (bottom - top) / 8, 1), Math.max(bottom - top, (right - left) / 8, 1)];
  const scale = Math.min(WIDTH_MM / wide, HEIGHT_MAX_MM / high);
  const [x0, y0] = [(left + right - wide) / 2, (top + bottom + high) / 2];
  const part = (value: number): number => Math.min(1, Math.max(0, Math.round(value * 10_000) / 10_000));
  return {
    width: Math.round(wide * scale * 10) / 10,
    height: Math.round(high * scale * 10) / 10,
    strokes: strokes.map((stroke) => stroke.map(([x, y]) => [part((x - x0) / wide), part((y0 - y) / high)])),
  };
}

/** The lines as an SVG path, in a box of `width` by `height` with its origin at the upper left. */
export function pathOf(strokes: Strokes, width: number, height: number): string {
  const point = ([x, y]: [number, number]): string => `${Math.round(x * width)} ${Math.round((1 - y) * height)}`;
  return strokes.map((stroke) => `M${stroke.map(point).join("L")}${stroke.length === 1 ? `L${point(stroke[0] ?? [0, 0])}` : ""}`).join("");
}
