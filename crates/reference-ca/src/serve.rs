//! `reference-ca desk`: the desk as a program. It listens, carries messages, lets time run out and keeps the retention rule,
//! and stops gracefully. Everything that it keeps lies in one folder.

use std::io::{IsTerminal, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use p256::pkcs8::DecodePublicKey;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::authority::Authority;
use crate::business::table::limit;
use crate::business::{Act, Actor, State};
use crate::handover::Portal;
use crate::services::Addresses;
use crate::settings::{Clock, Desk, Settings};
use crate::store::applications::{self, Doing, perform};
use crate::store::messages::{self, Spool};
use crate::store::{Database, certificates, history, officers, reminders, retention, uploads};
use crate::vault::Vault;
use crate::{profile, web};

type Done = Result<(), Box<dyn std::error::Error>>;

/// Options of `reference-ca desk`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Folder of the desk: database, vault key, encrypted uploads, the CA's keys.
    #[arg(long)]
    data: PathBuf,
    /// Address and port to listen on; port 0 takes a free one. TLS is the reverse proxy's.
    #[arg(long, default_value = "127.0.0.1:8720")]
    listen: SocketAddr,
    /// Where browsers reach the desk, without a path; the first is the official one. Default: http://localhost:PORT.
    #[arg(long, num_args = 1..)]
    public_origin: Vec<String>,
    /// The CA's folder. Default: `ca` in the data folder.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Where the CA's revocation lists, OCSP and timestamps are for others; certificates issued from now on name it. The desk serves them itself,
    /// so the default is http://localhost:PORT. Loopback only: test certificates name no real service.
    #[arg(long, value_name = "URL")]
    services: Option<String>,
    /// The file with the vault's key; elsewhere than the database it is safer. Default: `vault.key` in the data folder.
    #[arg(long)]
    vault_key: Option<PathBuf>,
    /// The folder with sealbridge.js; it is served under /client/. Without it no key can sign an application here.
    #[arg(long, value_name = "FOLDER")]
    client: Option<PathBuf>,
    /// The font of seals. Without it activation makes no seal.
    #[arg(long, value_name = "TTF")]
    font: Option<PathBuf>,
    /// A portal that may hand its users over, and the file with its public key in PEM; may be repeated.
    #[arg(long, value_name = "ORIGIN=FILE")]
    portal: Vec<String>,
    /// Make two officers with public passwords; only for an origin on this machine.
    #[arg(long)]
    demo_officers: bool,
    /// Seconds that open requests may still take after the signal to stop.
    #[arg(long, default_value_t = 30)]
    stop_seconds: u32,
}

/// Options of `reference-ca officer`.
#[derive(Debug, Subcommand)]
pub enum OfficerVerb {
    /// Add an officer; the password is read from stdin (10 to 256 characters, one line).
    Add {
        /// Folder of the desk.
        #[arg(long)]
        data: PathBuf,
        /// What they type at login.
        #[arg(long)]
        name: String,
        /// Read the password from stdin. There is no other way: a command line can be read by others.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Disable an officer and end all their sessions.
    Disable {
        /// Folder of the desk.
        #[arg(long)]
        data: PathBuf,
        /// Their name.
        #[arg(long)]
        name: String,
    },
    /// Check the chain of the history.
    CheckHistory {
        /// Folder of the desk.
        #[arg(long)]
        data: PathBuf,
    },
}

/// Runs the desk until it is told to stop.
///
/// # Errors
/// A sentence for the operator.
pub fn serve(options: Serve) -> Done {
    log();
    runtime()?.block_on(run(options))
}

/// Looks after officers.
///
/// # Errors
/// A sentence for the operator.
pub fn officer(verb: OfficerVerb) -> Done {
    log();
    runtime()?.block_on(async {
        match verb {
            OfficerVerb::Add { data, name, password_stdin: _ } => {
                let mut password = String::new();
                std::io::stdin().take(4096).read_to_string(&mut password)?;
                let password = password.trim_end_matches(['\r', '\n']).to_owned();
                make_private(&data)?;
                let database = Database::open(&data.join("desk.sqlite")).await?;
                officers::add(&database, &name, password, Clock::default().now()).await?;
                database.close().await;
            }
            OfficerVerb::Disable { data, name } => {
                let database = Database::open(&data.join("desk.sqlite")).await?;
                let done = officers::disable(&database, &name).await?;
                database.close().await;
                if !done {
                    return Err(format!("{name}: there is no such officer").into());
                }
            }
            OfficerVerb::CheckHistory { data } => {
                let database = Database::open(&data.join("desk.sqlite")).await?;
                let found = history::check(&database).await?;
                database.close().await;
                match found {
                    Ok(rows) => println!("{rows}"),
                    Err(gap) => return Err(format!("the history is broken at row {}", gap.row).into()),
                }
            }
        }
        Ok(())
    })
}

async fn run(options: Serve) -> Done {
    make_private(&options.data)?;
    let folder = options.data.join("uploads");
    make_private(&folder)?;
    let listener = TcpListener::bind(options.listen).await.map_err(|error| format!("{}: {error}", options.listen))?;
    let port = listener.local_addr()?.port();
    let mut origins = options.public_origin;
    if origins.is_empty() {
        origins = vec![format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}")];
    }
    let clock = Clock::default();
    let database = Database::open(&options.data.join("desk.sqlite")).await?;
    let vault = Vault::open(&options.vault_key.unwrap_or_else(|| options.data.join("vault.key")))?;
    let services = Addresses::new(&options.services.unwrap_or_else(|| format!("http://localhost:{port}")))?;
    let authority = Authority::open_with(&options.ca.unwrap_or_else(|| options.data.join("ca")), "印桥测试CA", clock.now(), Some(services))?;
    let font = match &options.font {
        Some(file) => Some(std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?),
        None => None,
    };
    if let Some(client) = &options.client
        && !client.join("sealbridge.js").is_file()
    {
        return Err(format!("{}: there is no sealbridge.js", client.display()).into());
    }
    let portals = options.portal.iter().map(|text| portal(text)).collect::<Result<Vec<_>, _>>()?;
    if options.demo_officers {
        if !origins.iter().all(|origin| is_on_this_machine(origin)) {
            return Err("--demo-officers have public passwords and are only for an origin on this machine".into());
        }
        for (name, password) in web::DEMO_OFFICERS {
            if !officers::exists(&database, name).await? {
                officers::add(&database, name, password.to_owned(), clock.now()).await?;
            }
        }
    }
    let swept = uploads::sweep(&database, &folder).await?;
    if swept > 0 {
        tracing::info!(files = swept, "uploads that nothing names were removed");
    }
    let announced = origins.first().cloned().unwrap_or_default();
    let settings = Settings { origins, uploads: folder, portals, client: options.client, font, demo_officers: options.demo_officers };
    let desk = Desk::new(settings, database.clone(), vault, profile::embedded()?, authority, Box::new(Spool), clock);
    let router = web::router(desk.clone());
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::json!({ "listening": announced }))?;
    stdout.flush()?;
    drop(stdout);
    tokio::spawn(errands(desk));

    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut told = stopping.clone();
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(async move {
        stopped().await;
        tracing::info!("stopping");
        let _nobody = stop.send(true);
    });
    let cut = async {
        let _ended = told.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(Duration::from_secs(u64::from(options.stop_seconds))).await;
    };
    tokio::select! {
        done = server => done?,
        () = cut => tracing::warn!("open requests were cut off"),
    }
    database.close().await;
    Ok(())
}

/// What is done beside requests: messages and revocations each second, time and retention each quarter of an hour.
async fn errands(desk: Desk) {
    let mut round = 0_u32;
    loop {
        if let Err(error) = publish(&desk).await {
            tracing::warn!(%error, "revocations");
        }
        if let Err(error) = messages::carry(desk.database(), desk.vault(), desk.carrier(), desk.now()).await {
            tracing::warn!(%error, "messages");
        }
        if round.is_multiple_of(900) {
            if let Err(error) = expire(&desk).await {
                tracing::warn!(%error, "expiry");
            }
            if let Err(error) = reminders::run(desk.database(), desk.vault(), desk.profiles(), desk.now()).await {
                tracing::warn!(%error, "reminders");
            }
            match retention::run(desk.database(), desk.uploads(), desk.now()).await {
                Ok(cleared) if cleared != retention::Cleared::default() => tracing::info!(files = cleared.files, businesses = cleared.businesses, "retention"),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "retention"),
            }
        }
        round = round.wrapping_add(1);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Tells the CA's own record of revocations what the register says, so that lists and OCSP say it with their next answer.
///
/// # Errors
/// The database's; what the record did not take is told to it the next time.
async fn publish(desk: &Desk) -> Done {
    for revoked in certificates::unpublished(desk.database()).await? {
        let (authority, told) = (Arc::clone(desk.authority()), revoked.clone());
        let kept = tokio::task::spawn_blocking(move || authority.revoke(&told.serial, told.reason, told.at)).await?;
        match kept {
            Ok(()) => {
                certificates::note_published(desk.database(), &revoked.serial, desk.now()).await?;
                tracing::info!(serial = revoked.serial, reason = revoked.reason, "revoked");
            }
            Err(error) => tracing::error!(serial = revoked.serial, %error, "a revocation is not published"),
        }
    }
    Ok(())
}

/// Lets time run out where it is over; answers for how many.
///
/// # Errors
/// The database's.
pub async fn expire(desk: &Desk) -> Result<u64, sqlx::Error> {
    let states: Vec<State> = State::ALL.into_iter().filter(|state| limit(*state).is_some()).collect();
    let mut expired = 0_u64;
    for application in applications::queue(desk.database(), desk.vault(), &states).await? {
        let due = application.case.deadline().is_some_and(|deadline| deadline <= desk.now());
        let Some(profile) = desk.profile(&application.profile).filter(|_| due) else { continue };
        let doing = Doing { id: application.id, act: Act::Expire, actor: Actor::Desk, seen: Some(application.revision), note: "", now: desk.now() };
        match perform(desk.database(), desk.vault(), profile, &doing).await {
            Ok(_) => expired = expired.saturating_add(1),
            Err(error) => tracing::info!(number = application.number, %error, "not expired"),
        }
    }
    Ok(expired)
}

/// `ORIGIN=FILE`, the file being the portal's public key (SubjectPublicKeyInfo in PEM).
fn portal(text: &str) -> Result<Portal, String> {
    let (origin, file) = text.split_once('=').ok_or_else(|| format!("{text}: ORIGIN=FILE is wanted"))?;
    let pem = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let key = p256::PublicKey::from_public_key_pem(&pem).map_err(|error| format!("{file}: {error}"))?;
    Ok(Portal { origin: origin.trim_end_matches('/').to_owned(), key: key.into() })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).with_env_filter(filter).init();
}

fn make_private(folder: &Path) -> Result<(), String> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn is_on_this_machine(origin: &str) -> bool {
    let host = origin.split_once("://").map_or("", |(_, rest)| rest);
    let host = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or_default() };
    host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" || host.starts_with("[::1]")
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
