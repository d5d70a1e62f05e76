//! The command line of the test CA desk. It parses options and prints; everything else is in the library.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand};
use sealbridge_reference_ca::Algorithm;
use sealbridge_reference_ca::authority::Authority;
use sealbridge_reference_ca::desk::{self, Application, Issued, Names, SealWish, Variant};
use sealbridge_reference_ca::error::DeskError;
use sealbridge_reference_ca::picture::{self, Design, PictureError};
use sealbridge_reference_ca::serve::{self, OfficerVerb, Serve};
use sealbridge_reference_ca::services::{self, Addresses};
use sealbridge_reference_ca::token::Module;

/// 测试CA:在令牌上生成密钥、签发测试证书、制作测试印章。 A test CA: keys on a token, test certificates, test seals.
#[derive(Debug, Parser)]
#[command(name = "reference-ca", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Initialise the token if it is blank, then key pair, certificate and seal; a second run finds them and changes nothing.
    Demo {
        /// PIN of the security officer, for a blank token.
        #[arg(long, value_name = "PIN")]
        so_pin: String,
        #[command(flatten)]
        applicant: Applicant,
    },
    /// One more key pair, certificate and seal on an initialised token: second certificates and the kinds that must be refused.
    Certificate {
        /// Stem of the files in DIR; the first free of certificate-2, certificate-3, … if absent.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        applicant: Applicant,
    },
    /// Serve timestamps, OCSP and revocation lists of the CA in DIR, on this computer only; prints the address.
    Serve {
        /// Folder of the CA.
        #[arg(long)]
        dir: PathBuf,
        /// Where to listen; port 0 is any free one.
        #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
        listen: std::net::SocketAddr,
        /// Where the services are for others: the certificates of the timestamping authority, the seal maker and the issuing CA name it.
        #[arg(long, value_name = "URL")]
        services: Option<String>,
    },
    /// Revoke a certificate that the CA in DIR issued.
    Revoke {
        /// Folder of the CA.
        #[arg(long)]
        dir: PathBuf,
        /// Serial number, in hex.
        #[arg(long, value_name = "HEX")]
        serial: String,
        /// CRLReason: 1 key compromise, 3 affiliation changed, 4 superseded, 5 cessation, 6 on hold …
        #[arg(long, default_value_t = 4)]
        reason: u8,
    },
    /// Run the desk as a service until it is told to stop (SIGTERM, Ctrl-C).
    Desk(Box<Serve>),
    /// Look after the desk's officers.
    #[command(subcommand)]
    Officer(OfficerVerb),
    /// Only draw a seal.
    Picture {
        /// The organisation's name.
        #[arg(long)]
        organisation: String,
        /// The line below the star.
        #[arg(long)]
        line: Option<String>,
        /// A TrueType or OpenType font with the characters.
        #[arg(long, value_name = "TTF")]
        font: PathBuf,
        /// Side of the picture in pixels.
        #[arg(long, default_value_t = 600)]
        pixels: u32,
        /// The PNG file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Applicant {
    /// Folder of the CA: keys, certificates, what is issued.
    #[arg(long)]
    dir: PathBuf,
    /// The PKCS#11 module.
    #[arg(long, value_name = "PATH")]
    module: PathBuf,
    /// An environment variable that the module reads (repeatable).
    #[arg(long, value_name = "K=V", value_parser = variable)]
    env: Vec<(String, String)>,
    /// The token's label.
    #[arg(long)]
    label: String,
    /// The user PIN. It is a test PIN: other users of this machine can see command lines.
    #[arg(long)]
    pin: String,
    /// The organisation's name.
    #[arg(long, value_name = "NAME")]
    organisation: String,
    /// Its unified social credit code (18 characters, GB 32100).
    #[arg(long, value_name = "CODE")]
    credit_code: String,
    /// The key's algorithm: es256, es384 or rs256.
    #[arg(long, default_value = "es256", value_parser = algorithm)]
    algorithm: Algorithm,
    /// What is different about the certificate.
    #[arg(long, value_enum, default_value = "normal")]
    variant: Variant,
    /// The line below the seal's star; an empty one leaves it out.
    #[arg(long, default_value = "测试专用")]
    line: String,
    /// The font of the seal. Without it no seal is made.
    #[arg(long, value_name = "TTF")]
    font: Option<PathBuf>,
    /// Where `reference-ca serve` will be: certificates name their revocation services there.
    #[arg(long, value_name = "URL")]
    services: Option<String>,
    /// Make no seal, also where a font is given.
    #[arg(long)]
    no_seal: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(Arguments::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            // Whoever typed the name at this terminal may see which character it is.
            let character = if let DeskError::Picture(PictureError::Glyph(character)) = &error { format!(": “{character}”") } else { String::new() };
            eprintln!("reference-ca: {error}{character}");
            ExitCode::FAILURE
        }
    }
}

fn told(done: Result<(), Box<dyn std::error::Error>>) -> Result<ExitCode, DeskError> {
    done.map(|()| ExitCode::SUCCESS).map_err(|error| DeskError::Refused(error.to_string()))
}

fn run(verb: Verb) -> Result<ExitCode, DeskError> {
    match verb {
        Verb::Desk(options) => told(serve::serve(*options)),
        Verb::Officer(verb) => told(serve::officer(verb)),
        Verb::Demo { so_pin, applicant } => visit(&applicant, Some(&so_pin), None),
        Verb::Certificate { name, applicant } => {
            let stem = match name {
                Some(name) => name,
                None => {
                    (2..).map(|number| format!("certificate-{number}")).find(|stem| !applicant.dir.join(format!("{stem}.der")).exists()).unwrap_or_default()
                }
            };
            visit(&applicant, None, Some(&stem))
        }
        Verb::Serve { dir, listen, services } => {
            let authority = Authority::open_with(&dir, desk::CA_NAME, now()?, services.as_deref().map(Addresses::new).transpose()?)?;
            services::serve(authority, listen, |address| println!("http://{address}"))?;
            Ok(ExitCode::SUCCESS)
        }
        Verb::Revoke { dir, serial, reason } => {
            let now = now()?;
            Authority::open(&dir, desk::CA_NAME, now)?.revoke(&serial, reason, now)?;
            Ok(ExitCode::SUCCESS)
        }
        Verb::Picture { organisation, line, font, pixels, out } => {
            let design = Design { name: &organisation, line: line.as_deref(), pixels };
            let drawn = picture::draw(&design, &read(&font)?)?;
            std::fs::write(&out, drawn.png).map_err(|source| DeskError::File { path: out, source })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn visit(applicant: &Applicant, so_pin: Option<&str>, stem: Option<&str>) -> Result<ExitCode, DeskError> {
    if let Some(code) = again_with_environment(&applicant.env)? {
        return Ok(code);
    }
    let font = match &applicant.font {
        Some(font) if !applicant.no_seal => Some(read(font)?),
        _ => None,
    };
    let line = Some(applicant.line.as_str()).filter(|line| !line.is_empty());
    let application = Application {
        organisation: &applicant.organisation,
        credit_code: &applicant.credit_code,
        algorithm: applicant.algorithm,
        variant: applicant.variant,
        seal: font.as_deref().map(|font| SealWish { line, font }),
        services: applicant.services.as_deref().map(Addresses::new).transpose()?,
    };
    let module = Module::load(&applicant.module)?;
    let token = match so_pin {
        Some(so_pin) => module.open_or_initialise(&applicant.label, so_pin, &applicant.pin)?,
        None => module.open(&applicant.label, &applicant.pin)?,
    };
    let now = now()?;
    // What is printed names files absolutely, for whoever reads it elsewhere.
    let dir = std::path::absolute(&applicant.dir).map_err(|source| DeskError::File { path: applicant.dir.clone(), source })?;
    let issued = match stem {
        Some(stem) => desk::serve(&dir, &token, &application, Names { certificate: stem, seal: &format!("{stem}-seal") }, now)?,
        None => desk::serve_once(&dir, &token, &application, now)?,
    };
    print(&issued, applicant.json)?;
    Ok(ExitCode::SUCCESS)
}

fn print(issued: &Issued, json: bool) -> Result<(), DeskError> {
    if json {
        println!("{}", serde_json::to_string(issued).map_err(|error| DeskError::Refused(error.to_string()))?);
        return Ok(());
    }
    println!("{}  {}", issued.organisation, issued.credit_code);
    println!("证书 certificate  {}  {}{}", issued.algorithm, issued.certificate.file.display(), if issued.reused { "  (already there)" } else { "" });
    if let Some(seal) = &issued.seal {
        println!("印章 seal         {}  {}", seal.name, seal.file.display());
    }
    println!("信任根 trust      {}", issued.trust.display());
    Ok(())
}

/// A module reads its environment when it is loaded. A running process must not change its own environment beneath a library,
/// so this program starts itself once more with the variables set, and passes the answer on.
fn again_with_environment(variables: &[(String, String)]) -> Result<Option<ExitCode>, DeskError> {
    if variables.iter().all(|(name, value)| std::env::var(name).is_ok_and(|set| set == *value)) {
        return Ok(None);
    }
    let program = std::env::current_exe().map_err(|source| DeskError::File { path: "reference-ca".into(), source })?;
    let status = Command::new(&program).args(std::env::args_os().skip(1)).envs(variables.iter().cloned()).status();
    let status = status.map_err(|source| DeskError::File { path: program, source })?;
    Ok(Some(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

fn read(path: &PathBuf) -> Result<Vec<u8>, DeskError> {
    std::fs::read(path).map_err(|source| DeskError::File { path: path.clone(), source })
}

fn now() -> Result<i64, DeskError> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or(0);
    i64::try_from(seconds).map_err(|_| DeskError::Refused("this machine's clock is not set".into()))
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".into()),
    }
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    match text {
        "es256" => Ok(Algorithm::Es256),
        "es384" => Ok(Algorithm::Es384),
        "rs256" => Ok(Algorithm::Rs256),
        _ => Err("expected es256, es384 or rs256".into()),
    }
}
