//! Pages that lie: unknown and extra fields, forged and repeated replies, frames, openers, documents that are none.

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::site::Site;
use sealbridge_e2e::world::World;

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    fields_that_do_not_belong;
    frames_get_nothing;
    forged_replies_change_nothing;
    documents_that_cannot_be_stamped;
}

fn fields_that_do_not_belong(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    for (call, wanted) in [
        ("client.login({challenge: 'A'.repeat(43), pin: '123456'})", &["request-unknown-field"][..]),
        ("client.login({challenge: 'A'.repeat(43), origin: 'https://bank.example'})", &["request-unknown-field"]),
        ("client.login({challenge: 'A'.repeat(43), hash: 'A'.repeat(43)})", &["request-unknown-field"]),
        ("client.login({challenge: 'short'})", &["nonce-malformed"]),
        ("client.login({challenge: 'A'.repeat(129)})", &["nonce-malformed"]),
        ("client.login({challenge: 'A'.repeat(42) + '\\u0000'})", &["nonce-malformed"]),
        ("client.login({challenge: {toString: 1}})", &["request-malformed", "nonce-malformed"]),
        ("client.bind({account: 'x'.repeat(129), challenge: 'A'.repeat(43)})", &["request-malformed", "account-malformed"]),
        ("client.bind({account: 'line\\nbreak', challenge: 'A'.repeat(43)})", &["request-malformed", "account-malformed"]),
        ("client.bind({challenge: 'A'.repeat(43)})", &["request-malformed", "account-malformed"]),
    ] {
        let seen = supplier.page_call(call)?;
        if !seen["code"].as_str().is_some_and(|code| wanted.contains(&code)) {
            return failed(format!("{call}: {seen} instead of {wanted:?}"));
        }
    }
    if world.pinentry_log()?.contains("GETPIN") { failed("a PIN was asked for a request that is refused") } else { Ok(()) }
}

fn frames_get_nothing(world: &World, kind: Kind) -> Driven<()> {
    // A site where the extension is enabled puts itself into a frame; the same hello is answered on top and not inside.
    let hello = "<!doctype html><title>hello</title><script>window.answers = 0; addEventListener('message', event => { if (event.data?.sealbridge === 'welcome') window.answers += 1; }); \
                 setTimeout(() => postMessage({sealbridge: 'hello', protocol: 1, nonce: 'A'.repeat(22)}, location.origin), 300);</script>";
    let framed = format!("{hello}<iframe id=inside src=/inside></iframe>");
    let site = Site::open(&[("/", &framed), ("/inside", hello)])?;
    let mut browser = world.browser(kind, true)?;
    let tab = browser.open(&format!("http://localhost:{}/", site.port))?;
    browser.wait(&tab, "window.answers === 1", sealbridge_e2e::world::PATIENCE)?;
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let inside = browser.evaluate(&tab, "document.querySelector('#inside').contentWindow.answers")?;
    expect(&inside.as_u64(), &Some(0), "answers to a frame")
}

fn forged_replies_change_nothing(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let tab = supplier.tab.clone();
    // Anything on the page may post messages; the client takes its port only from this window with its own nonce.
    let seen = supplier.browser.evaluate(
        &tab,
        "(async () => { const module = await import('/client/sealbridge.js'); \
         const forge = () => { const channel = new MessageChannel(); channel.port1.onmessage = call => channel.port1.postMessage({id: call.data.id, ok: {token: 'forged'}}); \
           window.postMessage({sealbridge: 'welcome', protocol: 1, extension: '9.9.9', nonce: 'B'.repeat(22)}, location.origin, [channel.port2]); }; \
         const frame = document.createElement('iframe'); document.body.append(frame); \
         for (let n = 0; n < 20; n += 1) forge(); \
         const connecting = module.connect(); for (let n = 0; n < 20; n += 1) forge(); \
         const client = await connecting; for (let n = 0; n < 20; n += 1) forge(); \
         try { return (await client.login({challenge: 'A'.repeat(43)})).token.slice(0, 6); } catch (error) { return error.code; } })()",
    )?;
    match seen.as_str() {
        Some(token) if token.starts_with("eyJ") => Ok(()),
        other => failed(format!("with forged replies around: {other:?}")),
    }
}

fn documents_that_cannot_be_stamped(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    let blank = crate::story::blank_form(world, &mut supplier)?;
    let whole = std::fs::read(&blank)?;
    let mut cases = vec![
        ("not-a-pdf.pdf", b"this is a text file, whatever its name says".to_vec(), vec!["not-pdf"]),
        ("empty.pdf", Vec::new(), vec!["not-pdf", "pdf-truncated"]),
    ];
    let cut = whole.len() / 3;
    cases.push(("truncated.pdf", whole[..cut].to_vec(), vec!["pdf-truncated", "pdf-damaged"]));
    for (name, qpdf, wanted) in [
        ("locked.pdf", vec!["--encrypt", "secret", "owner", "256", "--"], vec!["pdf-password-needed"]),
        ("forbidden.pdf", vec!["--encrypt", "", "owner", "256", "--modify=none", "--"], vec!["pdf-forbids-changes"]),
    ] {
        let file = world.plan.folder.join(name);
        match std::process::Command::new("qpdf").args(qpdf).arg(&blank).arg(&file).status() {
            Ok(status) if status.success() => cases.push((name, std::fs::read(&file)?, wanted)),
            _ => eprintln!("skipped: qpdf is not installed, no {name}"),
        }
    }
    for (name, bytes, wanted) in cases {
        let file = world.plan.folder.join(name);
        std::fs::write(&file, bytes)?;
        supplier.open_tender()?;
        let stamping = supplier.stamp_own(&file)?;
        let seen =
            supplier.browser.wait(&stamping, "(f => f && !f.hidden && f.dataset.code)(document.querySelector('#failure'))", sealbridge_e2e::world::PATIENCE)?;
        let code = seen.as_str().unwrap_or_default().to_owned();
        if !wanted.contains(&code.as_str()) {
            return failed(format!("{name}: {code} instead of {wanted:?}"));
        }
        let tab = supplier.tab.clone();
        supplier.browser.close_tab(&stamping)?;
        supplier.browser.activate(&tab)?;
        let told = supplier.refusal("#bid-status")?;
        if told != code && told != "cancelled" {
            return failed(format!("{name}: the portal's page was told {told}"));
        }
    }
    if world.pinentry_log()?.matches("GETPIN").count() > 1 { failed("a PIN was asked for a document that is refused") } else { Ok(()) }
}
