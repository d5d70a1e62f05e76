//! An old page of a portal, with the migration adapter in it: it signs in, reads its visitor's certificate and stamps by the calls it
//! always used, and what it must not have is refused.

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::judges::{self, Opinion};
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::World;
use serde_json::{Value, json};

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    an_old_page_with_the_adapter;
}

const CHALLENGE: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ";

fn an_old_page_with_the_adapter(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    let form = crate::story::blank_form(world, &mut supplier)?;
    world.answer(std::slice::from_ref(&world.plan.pin))?;

    // Nothing about the visitor without the visitor: refused calls and a count of keys open no window.
    expect(&old(&mut supplier, "IsInsertKey()")?["ok"], &json!({"insertCount": 1}), "keys that are plugged in")?;
    for (call, code) in [
        (format!("SignedDataSign({{data: {{text: '{CHALLENGE}'}}, certPwd: '123456'}})"), "page-secret-refused"),
        ("SignatureCreatorSignSeal({srcFile: 'C:\\\\bid.pdf'})".to_owned(), "page-path-refused"),
        ("SignatureCreatorSignSealEx({srcBytes: 'AA==', sealImageEncode: 'AA=='})".to_owned(), "page-image-refused"),
        ("VerifyKeyPwd({})".to_owned(), "call-unsupported"),
        ("SignedDataSign({data: {text: '12345'}})".to_owned(), "nonce-malformed"),
    ] {
        expect(&old(&mut supplier, &call)?["code"].as_str(), &Some(code), &call)?;
    }
    if world.pinentry_log()?.contains("GETPIN") {
        return failed("a PIN was asked for what is refused");
    }

    let signed = old(&mut supplier, &format!("SignedDataSign({{data: {{text: '{CHALLENGE}'}}}})"))?["ok"].take();
    expect(&signed["subjectO"].as_str(), &Some(world.plan.organisation.name.as_str()), "whose certificate")?;
    match judges::jose(signed["signValue"].as_str().unwrap_or_default())? {
        Opinion::Refuses(said) => return failed(format!("the JOSE library refuses: {said}")),
        Opinion::Absent => eprintln!("skipped: python3 with jwcrypto is not installed"),
        Opinion::Accepts => {}
    }

    // The form's own field, the document as base64 both ways.
    let bytes = <base64ct::Base64 as base64ct::Encoding>::encode_string(&std::fs::read(&form)?);
    let tab = supplier.tab.clone();
    let call = format!("SignatureCreatorSignSealEx({{srcBytes: {}, name: '旧页面.pdf', SignField: {{fieldName: '公章'}}}})", json!(bytes));
    supplier.browser.evaluate(
        &tab,
        &format!("(() => {{ window.__old = ''; {ADAPTER} ready.then(NetcaPKI => NetcaPKI.{call}.Then(result => {{ window.__old = result.destFileEncode; }}).Catch(error => {{ window.__old = 'failed: ' + error.code; }})); return true; }})()"),
    )?;
    let stamping = supplier.browser.wait_tab(sealbridge_e2e::supplier::STAMPING_PAGE, sealbridge_e2e::world::PATIENCE)?;
    supplier.wait_prepared(&stamping)?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let stamped = supplier.browser.wait(&tab, "window.__old", sealbridge_e2e::world::PATIENCE)?;
    let Ok(stamped) = <base64ct::Base64 as base64ct::Encoding>::decode_vec(stamped.as_str().unwrap_or_default()) else {
        return failed(format!("the old page got {stamped}"));
    };
    let file = world.plan.folder.join("old-page.pdf");
    std::fs::write(&file, stamped)?;
    crate::story::judged(world, &file)
}

const ADAPTER: &str = "const ready = Promise.all([import('/client/sealbridge.js'), import('/client/netca.js')]).then(async ([client, old]) => \
                       old.adapt(await client.connect(), {challenge: async () => 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ'}));";

/// What an old call gives on the portal's page.
fn old(supplier: &mut Supplier<'_>, call: &str) -> Driven<Value> {
    let tab = supplier.tab.clone();
    supplier.browser.evaluate(&tab, &format!("(async () => {{ {ADAPTER} const NetcaPKI = await ready; try {{ return {{ok: await NetcaPKI.{call}}}; }} catch (error) {{ return {{code: error.code ?? String(error)}}; }} }})()"))
}
