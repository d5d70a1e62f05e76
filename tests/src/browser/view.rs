//! How a person looks at pages: with a profile of their own beside the others', and a whole page in one picture where it is longer
//! than the window.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Browser, Tab, base64, text};
use crate::bidi::Driven;

impl Browser {
    /// Opens `url` for somebody else: with cookies of their own that no other tab shares, as in another profile. The extension does
    /// not look into it.
    pub fn open_apart(&mut self, url: &str) -> Driven<Tab> {
        let apart = text(&self.bidi.command("browser.createUserContext", json!({}))?, "userContext")?;
        let tab = self.bidi.command("browsingContext.create", json!({"type": "tab", "userContext": apart}))?;
        let tab = Tab(text(&tab, "context")?);
        self.go(&tab, url)?;
        Ok(tab)
    }

    /// Saves a picture of the whole page, also of what one would have to scroll to. For the moment of the picture the window is as high
    /// as the page: a bar for scrolling would cover a strip of it, and pictures wait to be scrolled to.
    pub fn screenshot_whole(&mut self, tab: &Tab, file: &Path) -> Driven<()> {
        self.load_pictures(tab)?;
        let size = self.evaluate(tab, "[innerWidth, Math.max(innerHeight, document.documentElement.scrollHeight)]")?;
        self.bidi.command("browsingContext.setViewport", json!({"context": tab.0, "viewport": {"width": size[0], "height": size[1]}}))?;
        self.screenshot_document(tab, file)?;
        self.bidi.command("browsingContext.setViewport", json!({"context": tab.0, "viewport": null})).map(drop)
    }

    /// Saves a picture of everything that the page draws, as wide and high as it is; JPEG where the file is called so.
    pub fn screenshot_document(&mut self, tab: &Tab, file: &Path) -> Driven<()> {
        self.load_pictures(tab)?;
        let jpeg = file.extension().is_some_and(|extension| extension == "jpg");
        let format = if jpeg { json!({"type": "image/jpeg", "quality": 0.9}) } else { json!({"type": "image/png"}) };
        let shot = self.bidi.command("browsingContext.captureScreenshot", json!({"context": tab.0, "origin": "document", "format": format}))?;
        fs::write(file, base64(&text(&shot, "data")?)?).map_err(Into::into)
    }

    /// Waits for pictures also where the page would fetch them only when they are scrolled to: they make it longer.
    fn load_pictures(&mut self, tab: &Tab) -> Driven<()> {
        self.evaluate(
            tab,
            "Promise.race([Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.decode().catch(() => null); })), new Promise(done => setTimeout(done, 5000))]).then(() => true)",
        ).map(drop)
    }
}
