//! The program `sealbridge-verify-service`: `serve` runs the service, `portal` and `key` say who may ask, `audit` exports
//! the audit log and checks an export without the database. Settings come from the command line and, for the database's
//! place, from `SEALBRIDGE_DATABASE`. What a program wants to read goes to stdout, everything else to stderr.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use sealbridge_intake::Limits;
use sealbridge_relying_party::chain::Why;
use sealbridge_relying_party::ration::Bucket;
use sealbridge_relying_party::{Certificate, Code, Failure, StatusDemand};
use sealbridge_verify_service::authorities::{Asking, Host};
use sealbridge_verify_service::portal::new_key;
use sealbridge_verify_service::service::{Clock, Service, Settings, random};
use sealbridge_verify_service::store::Database;
use sealbridge_verify_service::store::audit::{self, Checked};
use sealbridge_verify_service::store::challenges::{self, Rations};
use sealbridge_verify_service::store::portals::{self, Revoked};
use sealbridge_verify_service::web;
use serde_json::json;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

type Done = Result<ExitCode, Box<dyn std::error::Error>>;

#[derive(Debug, Parser)]
#[command(name = "sealbridge-verify-service", version, about = "Checks Sealbridge's logins, bindings and stamped documents for portals, over HTTP")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the service until it is told to stop (SIGTERM, Ctrl-C).
    Serve(Box<Serve>),
    /// Say which portals may ask, with their origins and trust anchors.
    #[command(subcommand)]
    Portal(PortalVerb),
    /// Make and revoke the keys that portals call with.
    #[command(subcommand)]
    Key(KeyVerb),
    /// Export the audit log, check an export, delete what need not be kept any more.
    #[command(subcommand)]
    Audit(AuditVerb),
}

#[derive(Debug, Args)]
struct Place {
    /// A SQLite file, which is made where it is not there, or a postgres:// URL.
    #[arg(long, env = "SEALBRIDGE_DATABASE", hide_env_values = true, default_value = "sealbridge-verify.sqlite")]
    database: String,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    place: Place,
    /// Address and port to listen on; port 0 takes a free one. TLS is the reverse proxy's.
    #[arg(long, default_value = "127.0.0.1:8710")]
    listen: SocketAddr,
    /// Where documents lie while they are judged. Default: the system's folder for temporary files.
    #[arg(long)]
    temporary: Option<PathBuf>,
    /// Largest document in MiB.
    #[arg(long, default_value_t = 1024)]
    document_max_mib: u64,
    /// Challenges for one portal: so many at once, then so many a second.
    #[arg(long, value_name = "BURST*RATE", default_value = "2000*1000")]
    portal_challenges: Bucket,
    /// Challenges for one session of a portal: so many at once, then one every so many seconds.
    #[arg(long, value_name = "BURST/SECONDS", default_value = "20/3")]
    session_challenges: Bucket,
    /// Documents of one portal: so many at once, then so many a second.
    #[arg(long, value_name = "BURST*RATE", default_value = "100*10")]
    portal_documents: Bucket,
    /// So many documents are received at once.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    upload_places: u16,
    /// Minutes that one upload may take.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440))]
    upload_minutes: u32,
    /// KiB a second that a sender has to keep up, looked at every ten seconds; 0 lets any pace pass.
    #[arg(long, default_value_t = 16)]
    upload_min_kib: u32,
    /// Seconds that any other call may take.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    call_seconds: u32,
    /// Seconds that one question to a certificate's authority may take.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    authority_seconds: u32,
    /// Seconds that all such questions of one request may take: at least as many as one, and fewer than the call.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=300))]
    authority_seconds_for_all: u32,
    /// Seconds that an authority's answer is taken without asking again, if it is news that long; 0: every request asks anew.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(..=86_400))]
    authority_keep_seconds: u32,
    /// Largest revocation list in MiB.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=32))]
    authority_list_max_mib: u16,
    /// So many MiB of authorities' answers are kept in the database, looked at once a minute.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(32..))]
    authority_kept_mib: u16,
    /// Hosts in certificates' addresses that may be on a private network or on this machine, each on this port (80); all others only in the public network.
    #[arg(long, value_name = "HOST[:PORT]", num_args = 1..)]
    authority_private_host: Vec<Host>,
    /// Seconds that open requests may still take after the signal to stop.
    #[arg(long, default_value_t = 30)]
    stop_seconds: u32,
}

#[derive(Debug, Subcommand)]
enum PortalVerb {
    /// Make a portal, or change it: what is given replaces what was.
    Set(SetPortal),
    /// List the portals.
    List(Place),
}

#[derive(Debug, Args)]
struct SetPortal {
    #[command(flatten)]
    place: Place,
    /// The portal's name: letters, digits and hyphens.
    name: String,
    /// Where browsers reach the portal, without a path, such as https://bid.example.cn.
    #[arg(long, required = true, num_args = 1..)]
    origin: Vec<String>,
    /// Root certificates that statements and seals must lead to (PEM, one or more in a file).
    #[arg(long, required = true, num_args = 1..)]
    trust: Vec<PathBuf>,
    /// Certificates between roots and holders, for chains that come incomplete (PEM); not trusted by themselves.
    #[arg(long, num_args = 1..)]
    intermediate: Vec<PathBuf>,
    /// Certificates of seal makers that are trusted by themselves, for CAs that do not mark them as seal makers' (PEM).
    #[arg(long, num_args = 1..)]
    seal_maker: Vec<PathBuf>,
    /// Revoked certificates as JSON: {"revoked":{"SHA-256":unix seconds},"freshUntil":unix seconds}. Without it there is no such list.
    #[arg(long)]
    revoked: Option<PathBuf>,
    /// What the authorities that certificates name must say: `required`, every certificate is shown not to be revoked; `when-available`, what
    /// is revoked is refused, and an authority that cannot be reached locks nobody out; `off`, nobody is asked.
    #[arg(long, default_value = "when-available")]
    revocation: Demand,
}

/// [`StatusDemand`] on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Demand {
    Required,
    WhenAvailable,
    Off,
}

#[derive(Debug, Subcommand)]
enum KeyVerb {
    /// Make a key and print it. It is shown this once; only its SHA-256 is kept.
    Create {
        #[command(flatten)]
        place: Place,
        /// The portal.
        portal: String,
        /// What the key is for, for people.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Revoke a key; within three seconds no instance takes it any more.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The key's number, as `key list` shows it.
        id: String,
    },
    /// List the keys: numbers and labels, never the keys themselves.
    List(Place),
}

#[derive(Debug, Subcommand)]
enum AuditVerb {
    /// Write the whole chain to stdout, one JSON record in each line.
    Export {
        #[command(flatten)]
        place: Place,
        /// Begin with this record.
        #[arg(long, default_value_t = 1)]
        from: i64,
    },
    /// Check an export or the audit.jsonl of an evidence package, without the database; or the database itself.
    Check {
        /// The export; - is stdin.
        #[arg(required_unless_present = "in_database", conflicts_with = "in_database")]
        file: Option<PathBuf>,
        /// Check the chain in the database instead.
        #[arg(long)]
        in_database: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Delete records from the beginning of the chain whose time is over: five years after the end of their certificate.
    Prune(Place),
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    if std::io::stderr().is_terminal() {
        log.init()
    } else {
        log.json().flatten_event(true).init()
    }
    let done = match Arguments::parse().verb {
        Verb::Serve(options) => serve(*options).await,
        Verb::Portal(PortalVerb::Set(options)) => set_portal(options).await,
        Verb::Portal(PortalVerb::List(place)) => list_portals(place).await,
        Verb::Key(verb) => key(verb).await,
        Verb::Audit(verb) => audit(verb).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("sealbridge-verify-service: {error}");
        ExitCode::FAILURE
    })
}

async fn serve(options: Serve) -> Done {
    let (one, all, call) = (options.authority_seconds, options.authority_seconds_for_all, options.call_seconds);
    if one > all || all >= call {
        // A call that ends while it asks has spent its nonce and tells nobody why.
        return Err(format!(
            "--authority-seconds ({one}) must not be more than --authority-seconds-for-all ({all}), and that less than --call-seconds ({call})"
        )
        .into());
    }
    let temporary = options.temporary.unwrap_or_else(|| std::env::temp_dir().join("sealbridge-verify"));
    make_private(&temporary).map_err(|error| format!("{}: {error}", temporary.display()))?;
    sweep(&temporary);
    let usual = Limits::default();
    let settings = Settings {
        temporary,
        document_max: options.document_max_mib.saturating_mul(1024 * 1024),
        uploads: Limits {
            places: usize::from(options.upload_places),
            longest: Duration::from_secs(u64::from(options.upload_minutes).saturating_mul(60)),
            window_bytes: u64::from(options.upload_min_kib).saturating_mul(1024).saturating_mul(usual.window.as_secs()),
            ..usual
        },
        call: Duration::from_secs(u64::from(options.call_seconds)),
        challenges: Rations { portal: options.portal_challenges, session: options.session_challenges },
        documents: options.portal_documents,
        asking: Asking {
            patience: Duration::from_secs(u64::from(options.authority_seconds)),
            patience_for_all: Duration::from_secs(u64::from(options.authority_seconds_for_all)),
            keep_seconds: i64::from(options.authority_keep_seconds),
            list_max: usize::from(options.authority_list_max_mib) << 20,
            kept_max: i64::from(options.authority_kept_mib) << 20,
            private_hosts: options.authority_private_host,
            ..Asking::default()
        },
    };
    let answers_max = settings.asking.kept_max;
    let database = Database::open(&options.place.database).await?;
    let listener = TcpListener::bind(options.listen).await.map_err(|error| format!("{}: {error}", options.listen))?;
    let clock = Clock::default();
    let router = web::router(Service::new(settings, database.clone(), clock.clone()));
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", json!({ "listening": format!("http://{}", listener.local_addr()?), "database": database.backend_name() }))?;
    stdout.flush()?;
    drop(stdout);
    tokio::spawn(sweeps(database.clone(), clock, answers_max));

    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut told = stopping.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        stopped().await;
        tracing::info!("stopping");
        let _nobody = stop.send(true);
    });
    let limit = async {
        let _ended = told.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(Duration::from_secs(u64::from(options.stop_seconds))).await;
    };
    tokio::select! {
        done = server => done?,
        () = limit => tracing::warn!("open requests were cut off"),
    }
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Now and then deletes what is over.
async fn sweeps(database: Database, clock: Clock, answers_max: i64) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        if let Err(error) = challenges::sweep(&database, clock.now(), answers_max).await {
            tracing::warn!(%error, "sweep");
        }
    }
}

async fn set_portal(options: SetPortal) -> Done {
    let SetPortal { place, name, origin, trust, intermediate, seal_maker, revoked, revocation: demand } = options;
    if name.is_empty() || name.len() > 64 || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(format!("{name}: a portal's name is made of letters, digits and hyphens").into());
    }
    let revocation = match revoked {
        None => None,
        Some(file) => Some(serde_json::from_slice::<Revoked>(&read(&file)?).map_err(|error| format!("{}: {error}", file.display()))?),
    };
    let settings = portals::Settings {
        origins: origin,
        trust: joined(&trust)?,
        intermediates: joined(&intermediate)?,
        seal_makers: joined(&seal_maker)?,
        revocation,
        status: match demand {
            Demand::Required => StatusDemand::Required,
            Demand::WhenAvailable => StatusDemand::WhenAvailable,
            Demand::Off => StatusDemand::NotAsked,
        },
    };
    settings.policy()?;
    let database = Database::open(&place.database).await?;
    portals::put(&database, &name, &serde_json::to_string(&settings)?, Clock::default().now()).await?;
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list_portals(place: Place) -> Done {
    let database = Database::open(&place.database).await?;
    for (id, settings) in portals::all(&database).await? {
        let settings: portals::Settings = serde_json::from_str(&settings)?;
        let anchors: BTreeMap<_, _> = Certificate::parse_pem(&settings.trust)
            .map_err(|error| error.to_string())?
            .iter()
            .map(|anchor| (anchor.id(), anchor.subject().to_string()))
            .collect();
        println!(
            "{}",
            json!({ "portal": id, "origins": settings.origins, "trust": anchors, "revoked": settings.revocation.is_some(), "revocation": settings.status })
        );
    }
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn key(verb: KeyVerb) -> Done {
    let now = Clock::default().now();
    match verb {
        KeyVerb::Create { place, portal, label } => {
            let database = Database::open(&place.database).await?;
            let id: String = random::<6>()?.iter().map(|byte| format!("{byte:02x}")).collect();
            let key = new_key(&random()?);
            let made = portals::add_key(&database, &id, &portal, &key, &label, now).await?;
            database.close().await;
            if !made {
                return Err(format!("{portal}: there is no such portal; make it with `portal set`").into());
            }
            eprintln!("key {id} of {portal}; it is shown only now:");
            println!("{key}");
        }
        KeyVerb::Revoke { place, id } => {
            let database = Database::open(&place.database).await?;
            let done = portals::revoke_key(&database, &id, now).await?;
            database.close().await;
            if !done {
                return Err(format!("{id}: there is no such key that is still good").into());
            }
        }
        KeyVerb::List(place) => {
            let database = Database::open(&place.database).await?;
            for key in portals::keys(&database).await? {
                println!("{}", serde_json::to_string(&key)?);
            }
            database.close().await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn audit(verb: AuditVerb) -> Done {
    match verb {
        AuditVerb::Export { place, from } => {
            let database = Database::open(&place.database).await?;
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let mut next = from.max(1);
            loop {
                let rows = audit::rows(&database, next).await?;
                let Some((last, _)) = rows.last() else { break };
                next = last.sequence.saturating_add(1);
                for (record, _) in &rows {
                    writeln!(out, "{}", serde_json::to_string(record)?)?;
                }
            }
            out.flush()?;
            database.close().await;
            Ok(ExitCode::SUCCESS)
        }
        AuditVerb::Check { file: Some(file), .. } => {
            let lines: Box<dyn BufRead> = if file.as_os_str() == "-" {
                Box::new(BufReader::new(std::io::stdin()))
            } else {
                Box::new(BufReader::new(File::open(&file).map_err(|error| format!("{}: {error}", file.display()))?))
            };
            Ok(told(&audit::check_lines(lines.lines())?))
        }
        AuditVerb::Check { file: None, place, .. } => {
            let database = Database::open(&place.database).await?;
            let found = audit::check(&database).await?;
            database.close().await;
            Ok(told(&found))
        }
        AuditVerb::Prune(place) => {
            let database = Database::open(&place.database).await?;
            let done = audit::prune(&database, Clock::default().now()).await?;
            database.close().await;
            match done {
                Ok(count) => println!("{}", json!({ "deleted": count })),
                Err(until) => return Err(Failure::new(Code::RetentionNotOver).with("until", until).to_string().into()),
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// One JSON line, and the exit code: 0 the chain holds, 1 it does not.
fn told(found: &Checked) -> ExitCode {
    let broken = found.broken.map(|(sequence, why)| {
        let why = match why {
            Why::Gap => "gap",
            Why::Changed => "changed",
        };
        json!({ "sequence": sequence, "why": why })
    });
    let line = json!({ "ok": broken.is_none(), "records": found.rows, "whole": found.whole, "first": found.first, "head": found.head, "broken": broken });
    println!("{line}");
    if found.broken.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn joined(files: &[PathBuf]) -> Result<String, String> {
    let mut pem = String::new();
    for file in files {
        pem.push_str(&String::from_utf8(read(file)?).map_err(|_| format!("{}: not PEM", file.display()))?);
        pem.push('\n');
    }
    Ok(pem)
}

/// Documents of suppliers lie here for a moment: nobody else on this machine may look.
fn make_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Uploads that a killed service left half done. Several instances may share the folder, so only old ones go.
fn sweep(folder: &Path) {
    const DAY: Duration = Duration::from_secs(86_400);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let old = entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|at| at.elapsed().is_ok_and(|age| age > DAY));
        if old && entry.path().extension().is_some_and(|extension| extension == "part") {
            let _gone = std::fs::remove_file(entry.path());
        }
    }
}

async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _interrupted = interrupt.await;
}
