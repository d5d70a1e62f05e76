//! `export-certificate`: a certificate's bytes and its issuers, for a file. No key is used and no PIN is asked.

use sealbridge_pki::Certificate;
use sealbridge_protocol::export_certificate::{Answer, Arguments};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::Bytes;

use crate::choice::issuers;
use crate::host::Host;
use crate::stop::Stop;

/// Longest part of the file's name that comes from the certificate, in characters.
const NAME_MAX: usize = 60;

/// Runs the verb.
///
/// # Errors
/// `certificate-missing`.
pub fn run(host: &Host, arguments: &Arguments, stop: &Stop) -> Result<Answer, Failure> {
    for shelf in host.directory.shelves(stop) {
        for contents in shelf.contents.iter().flatten() {
            let all: Vec<Certificate> = contents.certificates.iter().filter_map(|held| Certificate::parse(&held.der.0).ok()).collect();
            let Some(wanted) = all.iter().find(|certificate| certificate.sha256() == *arguments.certificate.as_bytes()) else { continue };
            let pem = std::iter::once(wanted).chain(&issuers(wanted, &all)).map(Certificate::to_pem).collect();
            return Ok(Answer { der: Bytes(wanted.der().to_vec()), pem, name: file_name(wanted) });
        }
    }
    Err(Failure::new(Code::CertificateMissing))
}

/// Letters and digits of any script, and nothing else: no path, no ending, no device's name stands alone.
fn file_name(certificate: &Certificate) -> String {
    let organisation = certificate.organisation().or_else(|| certificate.subject().common_name()).unwrap_or("certificate");
    let name: String = organisation.chars().filter(|character| character.is_alphanumeric()).take(NAME_MAX).collect();
    format!("{name}-{}", certificate.serial_hex())
}
