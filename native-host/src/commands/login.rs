//! `login`: signs a portal's challenge. The statement is built here from checked fields; ready-made bytes do not exist.

use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::login::{Answer, Arguments};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement::{Algorithm, Claims, Kind, Unsigned};

use crate::choice::{Chosen, Purpose, choose};
use crate::consent::Operation;
use crate::host::{Host, now};
use crate::key_use::{self, Asked, Statements};

/// Runs the verb.
///
/// # Errors
/// `origin-refused`, what [`choose`] and [`key_use::sign`] say.
pub fn run(host: &Host, id: OperationId, arguments: &Arguments, asked: Asked<'_>) -> Result<Answer, Failure> {
    let origin = arguments.origin.check(host.config.developer)?;
    let chosen = choose(&host.directory.shelves(asked.stop), arguments.certificate, Purpose::Login, now())?;
    let token =
        signed_statement(host, &chosen, &origin, Operation::Login, Kind::Login, asked, |iat| Claims::login(origin.clone(), arguments.nonce.clone(), iat, id))?;
    Ok(Answer { token })
}

/// Consent, statement, signature: what login and bind have in common.
pub(super) fn signed_statement(
    host: &Host,
    chosen: &Chosen,
    origin: &Origin,
    operation: Operation<'_>,
    kind: Kind,
    asked: Asked<'_>,
    claims: impl FnOnce(i64) -> Claims,
) -> Result<String, Failure> {
    let mut unsigned = None;
    let signatures = key_use::sign(host, chosen, operation, Some(origin), asked, |iat| {
        let built = unsigned.insert(statement(chosen, kind, claims(iat))?);
        Ok(Statements { digest: chosen.algorithm.digest_algorithm(), bytes: vec![built.signing_input().as_bytes().to_vec()] })
    })?;
    match (unsigned, signatures.first()) {
        (Some(unsigned), Some(signature)) => Ok(unsigned.attach(signature)),
        _ => Err(Failure::new(Code::Internal).with("detail", "no signature")),
    }
}

fn statement(chosen: &Chosen, kind: Kind, claims: Claims) -> Result<Unsigned, Failure> {
    let chain: Vec<Vec<u8>> = std::iter::once(&chosen.certificate).chain(&chosen.chain).map(|certificate| certificate.der().to_vec()).collect();
    Unsigned::new(kind, algorithm(chosen.algorithm), &chain, &chosen.certificate.sha256(), claims)
}

/// The statement's name for how a key signs.
pub(super) fn algorithm(algorithm: sealbridge_pki::Algorithm) -> Algorithm {
    match algorithm {
        sealbridge_pki::Algorithm::Es256 => Algorithm::Es256,
        sealbridge_pki::Algorithm::Es384 => Algorithm::Es384,
        sealbridge_pki::Algorithm::Rs256 => Algorithm::Rs256,
        sealbridge_pki::Algorithm::Ps256 => Algorithm::Ps256,
    }
}
