//! `status`: modules, tokens, certificates and seals as they are now. No key is used, no PIN is asked, nothing is chosen.

use sealbridge_pki::Certificate;
use sealbridge_protocol::fields::{Bytes, CertificateId};
use sealbridge_protocol::status::{Answer, CertificateInfo, ModuleInfo, SealInfo, TokenInfo, TokenState};
use sha2::{Digest, Sha256};

use crate::choice::issuers;
use crate::host::Host;
use crate::stop::Stop;
use crate::token::directory::Shelf;
use crate::token::{Contents, Flags};

/// Looks at everything.
#[must_use]
pub fn run(host: &Host, stop: &Stop) -> Answer {
    describe(&host.directory.shelves(stop))
}

/// What was seen, as the protocol says it.
#[must_use]
pub fn describe(shelves: &[Shelf]) -> Answer {
    let tokens = shelves.iter().flat_map(|shelf| shelf.contents.iter().flatten().map(|contents| token(&shelf.module.name, contents))).collect();
    Answer { modules: modules(shelves), tokens }
}

/// The modules alone.
#[must_use]
pub fn modules(shelves: &[Shelf]) -> Vec<ModuleInfo> {
    let module = |shelf: &Shelf| ModuleInfo {
        name: shelf.module.name.clone(),
        path: shelf.module.path.display().to_string(),
        failure: shelf.contents.as_ref().err().cloned(),
    };
    shelves.iter().map(module).collect()
}

/// The state of a token's PIN.
#[must_use]
pub fn state(flags: Flags) -> TokenState {
    if !flags.initialised || !flags.pin_set {
        TokenState::Uninitialised
    } else if flags.locked {
        TokenState::Locked
    } else if flags.final_try {
        TokenState::PinFinalTry
    } else if flags.count_low {
        TokenState::PinLow
    } else {
        TokenState::Ready
    }
}

/// The certificate that was read, with its issuers among the token's others.
#[must_use]
pub fn certificate_info(der: &[u8], label: &str, has_key: bool, others: &[Certificate]) -> CertificateInfo {
    let chain = Certificate::parse(der).map(|certificate| issuers(&certificate, others)).unwrap_or_default();
    CertificateInfo {
        id: CertificateId::new(Sha256::digest(der).into()),
        der: Bytes(der.to_vec()),
        chain: chain.iter().map(|issuer| Bytes(issuer.der().to_vec())).collect(),
        has_key,
        label: label.to_owned(),
    }
}

fn token(module: &str, contents: &Contents) -> TokenInfo {
    let parsed: Vec<Certificate> = contents.certificates.iter().filter_map(|held| Certificate::parse(&held.der.0).ok()).collect();
    TokenInfo {
        module: module.to_owned(),
        slot: contents.slot.slot,
        label: contents.slot.label.clone(),
        serial: contents.slot.serial.clone(),
        state: state(contents.slot.flags),
        protected_path: contents.slot.flags.protected_path,
        certificates: contents.certificates.iter().map(|held| certificate_info(&held.der.0, &held.label, held.has_key, &parsed)).collect(),
        seals: contents.seals.iter().map(|held| SealInfo { id: held.id, label: held.label.clone(), size: held.size }).collect(),
    }
}
