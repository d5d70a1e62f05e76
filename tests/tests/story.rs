//! The main job: bind, log in, fill and stamp, submit, verdict; judged by programs that nobody here wrote.

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::judges::{self, Opinion};
use sealbridge_e2e::world::{Plan, Token, World};

use crate::stage::{self, in_both_browsers};

in_both_browsers! {
    whole_story_on_the_soft_token;
    whole_story_on_softhsm(|plan: &mut Plan| plan.token = Token::Softhsm);
    whole_story_with_rsa(|plan: &mut Plan| plan.algorithm = "rs256".into()) ["the key's algorithm is the host's, whatever the browser"];
    whole_story_with_p384(|plan: &mut Plan| plan.algorithm = "es384".into()) ["the key's algorithm is the host's, whatever the browser"];
    login_token_satisfies_a_jose_library;
    earlier_signature_stays_valid;
}

fn whole_story_on_the_soft_token(world: &World, kind: Kind) -> Driven<()> {
    whole_story(world, kind)
}

fn whole_story_on_softhsm(world: &World, kind: Kind) -> Driven<()> {
    whole_story(world, kind)
}

fn whole_story_with_rsa(world: &World, kind: Kind) -> Driven<()> {
    whole_story(world, kind)
}

fn whole_story_with_p384(world: &World, kind: Kind) -> Driven<()> {
    whole_story(world, kind)
}

fn whole_story(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.sign_out()?;
    supplier.log_in()?;
    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("1280000.00")?;
    let code = supplier.wait_prepared(&stamping)?;
    supplier.press_stamp(&stamping)?;
    let shown = world.pinentry_log()?;
    for (what, part) in [("digest code", code.as_str()), ("origin", world.portal_url.as_str()), ("organisation", world.plan.organisation.name.as_str())] {
        if !shown.contains(part) {
            return failed(format!("the PIN window did not show the {what} {part}: {shown}"));
        }
    }
    supplier.return_to_portal(&stamping)?;
    let verdict = supplier.verdict()?;
    if !verdict.accepted {
        return failed(format!("the portal refused: {verdict:?}"));
    }
    let stamped = world.plan.folder.join("stamped.pdf");
    supplier.save_stamped(&stamped)?;
    judged(world, &stamped)?;
    let text = std::process::Command::new("pdftotext").arg("-layout").arg(&stamped).arg("-").output();
    match text {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text.stdout).into_owned();
            for part in ["1280000.00", &world.plan.organisation.name] {
                if !text.contains(part) {
                    return failed(format!("the stamped form does not show {part}: {text}"));
                }
            }
        }
        Err(_) => eprintln!("skipped: pdftotext is not installed"),
    }
    Ok(())
}

/// Every judge that is installed accepts the file; our own terminal does in any case.
pub(crate) fn judged(world: &World, stamped: &std::path::Path) -> Driven<()> {
    let trust = world.ca.join("trust.pem");
    for (name, opinion) in [("pdfsig", judges::pdfsig(stamped)?), ("pyHanko", judges::pyhanko(stamped, &trust)?)] {
        match opinion {
            Opinion::Accepts => {}
            Opinion::Absent => eprintln!("skipped: {name} is not installed"),
            Opinion::Refuses(said) => return failed(format!("{name} refuses: {said}")),
        }
    }
    if judges::qpdf_messages(stamped)?.is_some_and(|messages| messages > 0) {
        return failed("qpdf complains about the stamped file");
    }
    let (status, said, complained) = world.sealbridge(&["verify", &stamped.display().to_string(), "--trust", &trust.display().to_string()])?;
    if status == 0 { Ok(()) } else { failed(format!("sealbridge verify says {status}: {said} {complained}")) }
}

fn login_token_satisfies_a_jose_library(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let token = supplier.login_token()?;
    match judges::jose(&token)? {
        Opinion::Accepts => {}
        Opinion::Absent => {
            eprintln!("skipped: python3 with jwcrypto is not installed");
            return Ok(());
        }
        Opinion::Refuses(said) => return failed(format!("the JOSE library refuses: {said}")),
    }
    // One changed character at a time. The upper bits change, so that no decoder can take the old and the new for the same bytes.
    let changed: Vec<String> = (0..token.len())
        .map(|at| {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = match bytes[at] {
                b'.' => b'A',
                b'A'..=b'Z' => bytes[at] + 32,
                b'a'..=b'z' => bytes[at] - 32,
                _ => b'A',
            };
            String::from_utf8(bytes).expect("ASCII stays ASCII")
        })
        .collect();
    match judges::jose_accepts_how_many(&changed)? {
        Some(0) => Ok(()),
        other => failed(format!("of {} changed tokens the JOSE library accepts {other:?}", changed.len())),
    }
}

fn earlier_signature_stays_valid(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    let mut file = blank_form(world, &mut supplier)?;
    for round in 1..=3 {
        supplier.open_tender()?;
        let stamping = supplier.stamp_own(&file)?;
        supplier.wait_prepared(&stamping)?;
        supplier.press_stamp(&stamping)?;
        supplier.return_to_portal(&stamping)?;
        supplier.verdict()?;
        let next = world.plan.folder.join(format!("stamped-{round}.pdf"));
        supplier.save_stamped(&next)?;
        let (before, after) = (std::fs::read(&file)?, std::fs::read(&next)?);
        if !after.starts_with(&before) {
            return failed("the original bytes are not a prefix of the result");
        }
        judged(world, &next)?;
        file = next;
    }
    Ok(())
}

/// The portal's blank form, as a file.
pub(crate) fn blank_form(world: &World, supplier: &mut sealbridge_e2e::supplier::Supplier<'_>) -> Driven<std::path::PathBuf> {
    supplier.open_tender()?;
    let text = supplier.browser.evaluate(
        &supplier.tab.clone(),
        "(async () => { const b = new Uint8Array(await (await fetch(document.querySelector('#bid').dataset.form)).arrayBuffer()); let s = ''; for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192)); return btoa(s); })()",
    )?;
    let bytes = <base64ct::Base64 as base64ct::Encoding>::decode_vec(text.as_str().unwrap_or_default()).expect("base64 of our own");
    let file = world.plan.folder.join("blank.pdf");
    std::fs::write(&file, bytes)?;
    Ok(file)
}
