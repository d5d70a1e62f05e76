//! Killed or pulled out at every step: whatever becomes of the desk, the host, the browser or the key while a key is activated, a renewed
//! certificate or another seal is installed, or a key is unlocked, the same button pressed again leads to the same end. Every message that
//! crosses a boundary is a step, and so is every PKCS#11 call. No browser is needed: of a killed one, host and desk see that it is gone.
//!
//! An ordinary run strikes at every message and at some of the calls, and says so; every call takes minutes:
//! `SEALBRIDGE_E2E=1 cargo nextest run --workspace --run-ignored only -E 'package(sealbridge-e2e) and binary(interruptions)'`.

mod page;
mod scene;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::world::font;

use crate::page::{Action, Ended, Page, Victim};
use crate::scene::Scene;

/// In an ordinary run, one of so many PKCS#11 calls is struck.
const STRIDE: usize = 23;
/// So many cases go on side by side, each in a world of its own.
const AT_ONCE: usize = 2;

#[test]
fn activation_goes_on_after_whatever_was_killed_or_pulled_out() {
    play(Action::Activation, STRIDE);
}

#[test]
fn a_renewed_certificate_is_installed_after_whatever_was_killed_or_pulled_out() {
    play(Action::Renewal, STRIDE);
}

#[test]
fn a_seal_is_installed_after_whatever_was_killed_or_pulled_out() {
    play(Action::Seal, STRIDE);
}

#[test]
fn unlocking_goes_on_after_whatever_was_killed_or_pulled_out() {
    play(Action::Unlock, STRIDE);
}

#[test]
#[ignore = "takes minutes; the command is at the top of the file"]
fn activation_at_every_call() {
    play(Action::Activation, 1);
}

#[test]
#[ignore = "takes minutes; the command is at the top of the file"]
fn renewal_at_every_call() {
    play(Action::Renewal, 1);
}

#[test]
#[ignore = "takes minutes; the command is at the top of the file"]
fn seal_at_every_call() {
    play(Action::Seal, 1);
}

#[test]
#[ignore = "takes minutes; the command is at the top of the file"]
fn unlocking_at_every_call() {
    play(Action::Unlock, 1);
}

#[expect(clippy::panic, reason = "this is how a test fails")]
fn play(action: Action, stride: usize) {
    if std::env::var_os("SEALBRIDGE_E2E").is_none() {
        eprintln!("skipped: {action:?} (run `cargo xtask test`)");
        return;
    }
    if font().is_none() {
        eprintln!("SKIPPED: {action:?}, no font in target/fonts, so no seal");
        return;
    }
    if let Err(error) = sweep(action, stride) {
        panic!("{action:?}: {error}");
    }
}

/// What strikes, and when.
#[derive(Debug, Clone)]
enum Blow {
    /// A victim at the step of this number.
    Message(Victim, usize),
    /// A fault at the PKCS#11 call of this number.
    Call(Inside, usize),
}

/// What happens inside a PKCS#11 call.
#[derive(Debug, Clone, Copy)]
enum Inside {
    /// Host and driver end at once, as when the machine loses its power.
    Power,
    /// The host is killed; the driver goes on.
    Host,
    /// The key is pulled out.
    Key,
}

impl Inside {
    const ALL: [Self; 3] = [Self::Power, Self::Host, Self::Key];

    /// What the fault-injecting module does.
    fn kind(self) -> &'static str {
        match self {
            Self::Power => "crash",
            Self::Host => "slow:300",
            Self::Key => "pull",
        }
    }
}

/// What has been seen of one action.
#[derive(Debug, Default)]
struct Tally {
    messages: usize,
    calls: usize,
    /// What the dialog said before the button was pressed again.
    said: BTreeMap<String, usize>,
    failures: Vec<String>,
}

fn sweep(action: Action, stride: usize) -> Driven<()> {
    let prepared = std::thread::scope(|scope| {
        let preparing: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| Scene::prepare(action))).collect();
        preparing.into_iter().map(|one| one.join().unwrap_or_else(|_| failed("a preparation panicked"))).collect::<Driven<Vec<_>>>()
    });
    let mut scenes = prepared?;
    let Some(first) = scenes.first_mut() else { return failed("no scene") };
    // What nobody disturbs: its steps, its calls, and how often the desk decides.
    let log = first.file("calls.log");
    first.faults(&[("FAULT_LOG", &log.display().to_string())])?;
    let steps = undisturbed(first)?;
    let calls: Vec<String> = std::fs::read_to_string(&log)?.lines().take_while(|call| *call != "C_Finalize").map(ToOwned::to_owned).collect();
    first.has_ended()?;
    let decisions = first.decisions()?;
    if !steps.iter().any(|step| step.starts_with("→ desk")) || !calls.iter().any(|call| call == "C_Login") {
        return failed(format!("there is nothing to strike at: {steps:?} {calls:?}"));
    }
    let messages = Victim::ALL.into_iter().flat_map(|victim| (0..steps.len()).map(move |at| Blow::Message(victim, at)));
    // Each victim at other calls.
    let inside = Inside::ALL
        .into_iter()
        .enumerate()
        .flat_map(|(number, victim)| (1 + number * stride / Inside::ALL.len()..=calls.len()).step_by(stride).map(move |at| Blow::Call(victim, at)));
    let blows: Vec<Blow> = messages.chain(inside).collect();
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for scene in &mut scenes {
            scope.spawn(|| {
                while let Some(blow) = blows.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let done = struck(scene, &decisions, blow);
                    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                    match blow {
                        Blow::Message(..) => tally.messages += usize::from(done.is_ok()),
                        Blow::Call(..) => tally.calls += usize::from(done.is_ok()),
                    }
                    let at = match blow {
                        Blow::Message(_, at) => steps.get(*at),
                        Blow::Call(_, at) => calls.get(at - 1),
                    };
                    match done {
                        Ok(Some(said)) => *tally.said.entry(said).or_default() += 1,
                        Ok(None) => {}
                        Err(error) => tally.failures.push(format!("{blow:?} {}: {error}", at.map_or("", String::as_str))),
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    eprintln!("{action:?}: {} victims x {} steps, {} ended well", Victim::ALL.len(), steps.len(), tally.messages);
    let some = if stride == 1 { String::new() } else { format!(" (SKIPPED: all but one in {stride})") };
    eprintln!("{action:?}: {} victims x {} calls{some}, {} ended well", Inside::ALL.len(), calls.len(), tally.calls);
    eprintln!("{action:?}: before the button was pressed again, the dialog said {:?}", tally.said);
    if tally.failures.is_empty() { Ok(()) } else { failed(format!("\n{}", tally.failures.join("\n"))) }
}

impl Blow {
    /// Whether the dialog may say this after it: a person must understand why the button is needed again.
    fn explains(&self, code: &str) -> bool {
        match self {
            Self::Message(Victim::Desk, _) => code == "desk-unreachable",
            // A grant is for the host that asked for it.
            Self::Message(Victim::Host, _) | Self::Call(Inside::Host, _) => ["host-lost", "grant-used"].contains(&code),
            Self::Message(Victim::Browser, _) => false,
            Self::Message(Victim::Key, _) | Self::Call(Inside::Key, _) => code == "token-removed",
            // Whichever of the two ends is noticed first.
            Self::Call(Inside::Power, _) => ["host-lost", "grant-used", "module-crashed"].contains(&code),
        }
    }
}

/// The steps of the action.
fn undisturbed(scene: &mut Scene) -> Driven<Vec<String>> {
    let mut page = Page::open(scene);
    match page.perform()? {
        Ended::Done => Ok(std::mem::take(&mut page.steps)),
        other => failed(format!("undisturbed it ends with {other:?}")),
    }
}

/// Presses the button, strikes, puts right what a person puts right, and presses it again; tells what the dialog said in between, where the
/// button was needed again.
fn struck(scene: &mut Scene, decisions: &str, blow: &Blow) -> Driven<Option<String>> {
    scene.again()?;
    let once = scene.file("once");
    if let Blow::Call(victim, at) = blow {
        if once.exists() {
            std::fs::remove_file(&once)?;
        }
        scene.faults(&[("FAULT_AT", &at.to_string()), ("FAULT_KIND", victim.kind()), ("FAULT_ONCE", &once.display().to_string())])?;
    }
    let mut page = Page::open(scene);
    match blow {
        Blow::Message(victim, at) => page.strike = Some((*victim, *at)),
        Blow::Call(Inside::Power | Inside::Host, _) => page.dies_with = Some(once.clone()),
        Blow::Call(Inside::Key, _) => {}
    }
    let first = page.perform()?;
    if let Ended::Refused(failure) = &first
        && !blow.explains(failure["code"].as_str().unwrap_or_default())
    {
        return failed(format!("the dialog said {failure}"));
    }
    if let Blow::Message(_, at) = blow
        && page.steps.len() <= *at
    {
        return failed("the action did not come so far");
    }
    page.strike = None;
    page.dies_with = None;
    if !page.scene().desk.is_up() {
        page.scene().desk.up()?;
    }
    page.scene().plug_in()?;
    // A call that did not come shall not strike the second time.
    page.scene().faults(&[])?;
    let second = if matches!(first, Ended::Refused(_)) {
        // The dialog is still there, with its reason.
        let second = page.perform()?;
        drop(page);
        second
    } else {
        drop(page);
        Page::open(scene).perform()?
    };
    let finished = match second {
        // A page that offers no button shows what it would have led to.
        Ended::Done | Ended::NoButton => scene.is_finished(decisions),
        Ended::Refused(_) | Ended::Gone => failed("not finished"),
    };
    finished.map_err(|error| DriveError(format!("first {first:?}, then {second:?}: {error}")))?;
    Ok(match first {
        // How often the host looks at its keys meanwhile is a matter of time.
        Ended::Done if matches!(blow, Blow::Call(..)) && !once.exists() => Some("nothing, there were fewer calls".into()),
        Ended::Done => None,
        Ended::Refused(failure) => Some(failure["code"].as_str().unwrap_or("?").to_owned()),
        Ended::Gone => Some("nothing, it was gone".into()),
        Ended::NoButton => Some("nothing, no key was there".into()),
    })
}
