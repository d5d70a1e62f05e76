//! What a person's hands do in a page: press, drag, type, choose a file. Pointer and keys are real events of the browser's; a press
//! waits until its target has stopped moving. It decides nothing about what the page does then.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Browser, Tab, text};
use crate::bidi::{Driven, failed};

impl Browser {
    /// Clicks the middle of the first element that matches `selector`, with a real pointer event. Waits until the element
    /// has stopped moving and nothing lies over it, and presses again where the page moved under the pointer all the same.
    pub fn click(&mut self, tab: &Tab, selector: &str) -> Driven<()> {
        for _ in 0..4 {
            let (x, y) = self.still(tab, selector)?;
            self.evaluate(
                tab,
                &format!(
                    "(() => {{ const e = document.querySelector({0}); window.__pressed = 'no'; addEventListener('click', event => {{ window.__pressed = e === event.target || e.contains(event.target) ? 'yes' : 'beside'; }}, {{capture: true, once: true}}); return true; }})()",
                    json!(selector)
                ),
            )?;
            self.bidi.command(
                "input.performActions",
                json!({"context": tab.0, "actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                    {"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
                ]}]}),
            )?;
            // A page that is gone, or a new one in its place, was left by the press.
            match self.evaluate(tab, "window.__pressed ?? 'left'") {
                Ok(seen) if seen == "no" || seen == "beside" => std::thread::sleep(Duration::from_millis(100)),
                _ => return Ok(()),
            }
        }
        // A disabled control swallows presses; what the case waits for next says so better than we could.
        Ok(())
    }

    /// Drags from the middle of `selector` by (`dx`, `dy`) CSS pixels with a real pointer.
    pub fn drag(&mut self, tab: &Tab, selector: &str, dx: i64, dy: i64) -> Driven<()> {
        let (x, y) = self.middle(tab, selector)?;
        self.bidi.command("input.performActions", json!({"context": tab.0, "actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            {"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "x": x + dx / 2, "y": y + dy / 2, "duration": 50}, {"type": "pointerMove", "x": x + dx, "y": y + dy, "duration": 50},
            {"type": "pointerUp", "button": 0}
        ]}]})).map(drop)
    }

    /// Puts `value` into the input that matches `selector`, as typing would: with input and change events.
    pub fn fill(&mut self, tab: &Tab, selector: &str, value: &str) -> Driven<()> {
        let script = format!(
            "(() => {{ const e = document.querySelector({0}); if (!e) throw new Error('no ' + {0}); e.focus(); e.value = {1}; e.dispatchEvent(new Event('input', {{bubbles: true}})); e.dispatchEvent(new Event('change', {{bubbles: true}})); return true; }})()",
            json!(selector),
            json!(value)
        );
        self.evaluate(tab, &script).map(drop)
    }

    /// Types `value` into the input that matches `selector` with real keys, in place of what stood there. The page must then hold it.
    pub fn type_into(&mut self, tab: &Tab, selector: &str, value: &str) -> Driven<()> {
        self.click(tab, selector)?;
        self.evaluate(tab, &format!("(() => {{ const e = document.querySelector({}); e.focus(); e.select(); return true; }})()", json!(selector)))?;
        if value.is_empty() {
            self.type_keys(tab, "\u{e017}")?;
        } else {
            self.type_keys(tab, value)?;
        }
        let holds = self.evaluate(tab, &format!("document.querySelector({}).value", json!(selector)))?;
        if holds == value { Ok(()) } else { failed(format!("{selector} holds {holds} and not {value}")) }
    }

    /// Types keys into whatever has the focus, with real key events.
    pub fn type_keys(&mut self, tab: &Tab, keys: &str) -> Driven<()> {
        let actions: Vec<Value> =
            keys.chars().flat_map(|key| [json!({"type": "keyDown", "value": key.to_string()}), json!({"type": "keyUp", "value": key.to_string()})]).collect();
        self.bidi.command("input.performActions", json!({"context": tab.0, "actions": [{"type": "key", "id": "keyboard", "actions": actions}]})).map(drop)
    }

    /// Chooses `files` in the `<input type=file>` that matches `selector`.
    pub fn choose_files(&mut self, tab: &Tab, selector: &str, files: &[&Path]) -> Driven<()> {
        let found =
            self.bidi.command("browsingContext.locateNodes", json!({"context": tab.0, "locator": {"type": "css", "value": selector}, "maxNodeCount": 1}))?;
        let node = text(&found["nodes"][0], "sharedId")?;
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        self.bidi.command("input.setFiles", json!({"context": tab.0, "element": {"sharedId": node}, "files": files})).map(drop)
    }

    fn middle(&mut self, tab: &Tab, selector: &str) -> Driven<(i64, i64)> {
        let script = format!(
            "(() => {{ const e = document.querySelector({0}); if (!e) throw new Error('no ' + {0}); e.scrollIntoView({{block: 'center', inline: 'center', behavior: 'instant'}}); const r = e.getBoundingClientRect(); return [Math.round(r.x + r.width / 2), Math.round(r.y + r.height / 2)]; }})()",
            json!(selector)
        );
        let point = self.evaluate(tab, &script)?;
        match (point[0].as_i64(), point[1].as_i64()) {
            (Some(x), Some(y)) => Ok((x, y)),
            _ => failed(format!("{selector} has no place on the page")),
        }
    }

    /// The middle of an element that has kept its place for a while and lies on top.
    fn still(&mut self, tab: &Tab, selector: &str) -> Driven<(i64, i64)> {
        let mut last = None;
        for _ in 0..40 {
            let now = self.middle(tab, selector)?;
            let on_top = self.evaluate(
                tab,
                &format!(
                    "(() => {{ const e = document.querySelector({0}); const top = document.elementFromPoint({1}, {2}); return document.readyState === 'complete' && !!e && !!top && (e === top || e.contains(top) || top.contains(e)); }})()",
                    json!(selector),
                    now.0,
                    now.1
                ),
            )?;
            if last == Some(now) && on_top == json!(true) {
                return Ok(now);
            }
            last = Some(now);
            std::thread::sleep(Duration::from_millis(50));
        }
        self.middle(tab, selector)
    }
}
