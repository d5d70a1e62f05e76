//! Logging in with the key, from the page's call to the portal's answer that the session is signed in. The page has loaded and has
//! its challenge before the clock starts; the PIN window answers at once.

use std::process::Command;
use std::time::Duration;

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::processes::kill_hosts;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::built;
use serde_json::{Value, json};

use crate::Place;

/// Options of `measure login`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// Logins of each kind. The host remembers at most 256 uses of a key.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=80))]
    count: u32,
}

/// What has been running before the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Everything, as after the portal's page has asked for the status.
    Warm,
    /// Not the native host.
    ColdHost,
    /// Not the extension's background either, as after half a minute of reading. Chromium only: nobody can stop Firefox's.
    ColdBackground,
}

impl Start {
    fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::ColdHost => "cold-host",
            Self::ColdBackground => "cold-background",
        }
    }
}

pub(crate) fn run(options: &Options) -> Driven<()> {
    let world = options.place.world()?;
    // As many challenges as it takes, where a portal for people rations them.
    let many = ["--session-challenges", "10000/1", "--address-challenges", "10000/1"];
    let world = world.with_portal(Command::new(built("reference-portal")?), &many)?;
    let mut supplier = Supplier::arrive(&world, options.place.browser(&world)?)?;
    supplier.sign_in()?;
    supplier.bind()?;
    supplier.sign_out()?;
    let mut starts = vec![Start::Warm, Start::ColdHost];
    if options.place.browser == Kind::Chromium {
        starts.push(Start::ColdBackground);
    }
    // The first of all is for the browser's own caches.
    log_in(&mut supplier, Start::Warm)?;
    for _ in 0..options.count {
        for start in &starts {
            let moments = log_in(&mut supplier, *start)?;
            println!("{}", json!({"what": "login", "start": start.name(), "moments": moments}));
        }
    }
    Ok(())
}

/// One login; milliseconds after the call of each phase, of the token and of the session.
fn log_in(supplier: &mut Supplier<'_>, start: Start) -> Driven<Value> {
    supplier.go("/login")?;
    supplier.expect_ready()?;
    let tab = supplier.tab.clone();
    match start {
        Start::Warm => {}
        Start::ColdHost => {
            if kill_hosts(supplier.world)? == 0 {
                return failed("no host was running");
            }
        }
        Start::ColdBackground => supplier.browser.stop_background(&tab)?,
    }
    if start != Start::Warm {
        // Until the other side has noticed, and the host that loses its browser has ended.
        std::thread::sleep(Duration::from_millis(500));
    }
    let moments = supplier.browser.evaluate(
        &tab,
        "(async () => { const post = async (path, body) => { const answer = await fetch(path, {method: 'POST', headers: {'content-type': 'application/json', \
         'x-csrf-token': document.querySelector('meta[name=csrf]').content}, body: JSON.stringify(body)}); \
         if (!answer.ok) throw new Error(path + ' ' + await answer.text()); return answer.json(); }; \
         const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); \
         const {nonce} = await post('/api/challenge', {kind: 'login'}); \
         const moments = {}; const begun = performance.now(); const mark = name => { moments[name] = performance.now() - begun; }; \
         const {token} = await client.login({challenge: nonce}, {onPhase: mark}); mark('token'); \
         await post('/api/login', {token}); mark('session'); return moments; })()",
    )?;
    supplier.go("/")?;
    supplier.sign_out()?;
    Ok(moments)
}
