//! `install` and `uninstall`: registers with browsers and says where.

use std::path::PathBuf;

use clap::Args;
use sealbridge_protocol::failure::{Code, Failure};
use serde_json::json;

use super::Voice;
use crate::host::own_program;
use crate::install::{self, BROWSERS, Level, Place};

#[derive(Debug, Args)]
pub(super) struct Install {
    /// For everybody on this computer (needs the administrator's rights) 为所有用户登记
    #[arg(long)]
    system: bool,
    /// Only this browser; may be repeated 只登记指定的浏览器
    #[arg(long = "browser", value_name = "NAME", value_parser = BROWSERS.iter().map(|browser| browser.name).collect::<Vec<_>>())]
    browsers: Vec<String>,
    /// Only a Chromium profile folder (--user-data-dir) 只登记指定的 Chromium 配置文件夹
    #[arg(long = "dir", value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Only a home folder that Firefox is started with 只登记指定的 Firefox 主目录
    #[arg(long = "firefox-home", value_name = "DIR")]
    firefox_homes: Vec<PathBuf>,
}

impl Install {
    pub(super) fn add(self, voice: Voice) -> Result<u8, Failure> {
        let program = own_program()?;
        let places = self.places();
        let mut failed = None;
        let mut done = Vec::new();
        for place in &places {
            match install::add(place, &program) {
                Ok(()) => done.push(place),
                Err(failure) => failed = Some(failure),
            }
        }
        self.report(voice, "installed", voice.pick("已登记", "Registered"), &done);
        match failed {
            Some(failure) => Err(failure),
            None if places.is_empty() => Err(Failure::new(Code::InstallFailed)
                .with("detail", voice.pick("没有找到浏览器，请用 --browser 指定", "no browser was found; name one with --browser"))),
            None => Ok(0),
        }
    }

    pub(super) fn remove(self, voice: Voice) -> Result<u8, Failure> {
        let mut failed = None;
        let places = self.all_places();
        let mut done = Vec::new();
        for place in &places {
            match install::remove(place) {
                Ok(true) => done.push(place),
                Ok(false) => {}
                Err(failure) => failed = Some(failure),
            }
        }
        self.report(voice, "uninstalled", voice.pick("已取消登记", "Registration removed"), &done);
        failed.map_or(Ok(0), Err)
    }

    fn level(&self) -> Level {
        if self.system { Level::System } else { Level::User }
    }

    fn isolated(&self) -> Option<Vec<Place>> {
        let places: Vec<Place> = self
            .folders
            .iter()
            .map(|folder| install::chromium_profile(folder))
            .chain(self.firefox_homes.iter().map(|home| install::firefox_home(home)))
            .collect();
        (!places.is_empty()).then_some(places)
    }

    fn places(&self) -> Vec<Place> {
        self.isolated().unwrap_or_else(|| install::places(self.level(), &self.browsers))
    }

    /// A browser that was removed since may have left its registration behind.
    fn all_places(&self) -> Vec<Place> {
        self.isolated().unwrap_or_else(|| {
            let names = if self.browsers.is_empty() { BROWSERS.iter().map(|browser| browser.name.to_owned()).collect() } else { self.browsers.clone() };
            install::places(self.level(), &names)
        })
    }

    fn report(&self, voice: Voice, key: &str, done: &str, places: &[&Place]) {
        if voice.json {
            voice.document(&json!({ key: places }));
        } else {
            for place in places {
                voice.line(format!("{done}: {} {}", place.browser, place.manifest.display()));
            }
        }
    }
}
