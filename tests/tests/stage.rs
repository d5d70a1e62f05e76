//! What every case stands on: whether it may run at all, a fresh folder, a world, a browser with a supplier in it.

use sealbridge_e2e::bidi::Driven;
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{Plan, World};

/// Runs `case` in a fresh world, or says visibly that it is skipped.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub(crate) fn play(name: &str, kind: Kind, change: impl FnOnce(&mut Plan), case: impl FnOnce(&World, Kind) -> Driven<()>) {
    if std::env::var_os("SEALBRIDGE_E2E").is_none() {
        eprintln!("skipped: {name} in {} (run `cargo xtask test`)", kind.as_str());
        return;
    }
    let folder = tempfile::Builder::new().prefix("sealbridge-").tempdir().expect("a temporary folder");
    let mut plan = Plan::new(folder.path());
    change(&mut plan);
    let done = World::build(plan).and_then(|world| case(&world, kind));
    if let Err(error) = done {
        panic!("{name} in {}: {error}", kind.as_str());
    }
}

/// A supplier who has arrived at the portal in a headless browser.
pub(crate) fn supplier(world: &World, kind: Kind) -> Driven<Supplier<'_>> {
    Supplier::arrive(world, world.browser(kind, true)?)
}

/// A supplier who is signed in and has bound the key.
pub(crate) fn bound(world: &World, kind: Kind) -> Driven<Supplier<'_>> {
    let mut supplier = supplier(world, kind)?;
    supplier.sign_in()?;
    supplier.bind()?;
    Ok(supplier)
}

/// Makes one test per browser out of a case `fn(&World, Kind) -> Driven<()>`, with an optional change of the plan in parentheses. Behind it, in
/// brackets, the reason why Chromium stands for both where nothing in the browser decides: Firefox then plays it only with `--run-ignored`.
macro_rules! in_both_browsers {
    ($($case:ident $(($change:expr))? $([$why:literal])?;)+) => {
        mod chromium {
            #[allow(unused_imports, reason = "a case's change of the plan names what its room has imported")]
            use super::*;
            $(#[test]
            fn $case() {
                $crate::stage::play(stringify!($case), sealbridge_e2e::browser::Kind::Chromium, $crate::stage::in_both_browsers!(@change $($change)?), super::$case);
            })+
        }
        mod firefox {
            #[allow(unused_imports, reason = "a case's change of the plan names what its room has imported")]
            use super::*;
            $(#[test]
            $(#[ignore = $why])?
            fn $case() {
                $crate::stage::play(stringify!($case), sealbridge_e2e::browser::Kind::Firefox, $crate::stage::in_both_browsers!(@change $($change)?), super::$case);
            })+
        }
    };
    (@change) => { |_: &mut sealbridge_e2e::world::Plan| () };
    (@change $change:expr) => { $change };
}

pub(crate) use in_both_browsers;

/// Fails with a sentence unless both are equal.
pub(crate) fn expect<T: PartialEq + std::fmt::Debug>(seen: &T, wanted: &T, what: &str) -> Driven<()> {
    if seen == wanted { Ok(()) } else { sealbridge_e2e::bidi::failed(format!("{what}: {seen:?} instead of {wanted:?}")) }
}
