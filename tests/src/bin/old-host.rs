//! A native host of an older time: it reads frames as every host does and answers each `hello` with protocol 0, which no
//! extension speaks any more. It stands in for a program that somebody forgot to update, and knows no other verb.

use std::io::{Read, Write};

use serde_json::{Value, json};

/// Longer frames than any extension sends are not read.
const FRAME_MAX: u32 = 65_536;

fn main() -> std::io::Result<()> {
    let (mut from_browser, mut to_browser) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut header = [0; 4];
    // The browser closes the pipe when it is done.
    while from_browser.read_exact(&mut header).is_ok() {
        let length = u32::from_ne_bytes(header);
        if length > FRAME_MAX {
            break;
        }
        let mut payload = Vec::new();
        from_browser.by_ref().take(u64::from(length)).read_to_end(&mut payload)?;
        let request: Value = serde_json::from_slice(&payload)?;
        let answer = match request["verb"].as_str() {
            Some("hello") => json!({"id": request["id"], "ok": {"protocol": 0, "host": "0.0.1", "developer": true, "platform": "linux"}}),
            // Whoever goes on after the hello is told so in words that the test would see.
            _ => json!({"id": request["id"], "failure": {"code": "internal", "facts": {"detail": "asked on after the hello"}}}),
        };
        let answer = answer.to_string().into_bytes();
        to_browser.write_all(&u32::try_from(answer.len()).unwrap_or(0).to_ne_bytes())?;
        to_browser.write_all(&answer)?;
        to_browser.flush()?;
    }
    Ok(())
}
