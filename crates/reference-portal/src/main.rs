//! The program `reference-portal`: `serve` runs the portal, `account` looks after accounts, `desk-key` shows a CA's desk the
//! portal's public key. Settings come from the command line only; the one line of `serve` on stdout is for the program that
//! started it, everything else goes to stderr.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use axum::http::HeaderName;
use clap::{Args, Parser, Subcommand, ValueEnum};
use sealbridge_intake::Limits as UploadLimits;
use sealbridge_reference_portal::authorities::{Asking, Host};
use sealbridge_reference_portal::checks::Checks;
use sealbridge_reference_portal::desk::{self, Desk};
use sealbridge_reference_portal::proxies::{Network, Proxies};
use sealbridge_reference_portal::settings::{Clock, Limits, Portal, Settings};
use sealbridge_reference_portal::store::Database;
use sealbridge_reference_portal::store::accounts::{self, NewAccount, Role};
use sealbridge_reference_portal::store::desk::UNDECRYPTED_MAX;
use sealbridge_reference_portal::{demo, store, web};
use sealbridge_relying_party::StatusDemand;
use sealbridge_relying_party::ration::Bucket;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[derive(Debug, Parser)]
#[command(name = "reference-portal", version, about = "A small procurement portal that checks Sealbridge's statements and seals")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the portal until it is told to stop (SIGTERM, Ctrl-C).
    Serve(Box<Serve>),
    /// Look after accounts.
    #[command(subcommand)]
    Account(AccountVerb),
    /// Print the public half of the key that hand-overs are signed with (PEM), for the desk's `--portal ORIGIN=PEM`.
    DeskKey {
        /// The key's file; it is made where it is not there, readable by its owner only.
        #[arg(long)]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8700")]
    listen: SocketAddr,
    /// The SQLite file; it is made where it is not there.
    #[arg(long)]
    database: PathBuf,
    /// Root certificates that statements and seals must lead to (PEM, one or more in a file).
    #[arg(long, required = true, num_args = 1..)]
    trust: Vec<PathBuf>,
    /// Certificates between roots and holders, for chains that come incomplete (PEM); not trusted by themselves.
    #[arg(long, num_args = 1..)]
    intermediate: Vec<PathBuf>,
    /// Certificates of seal makers that are trusted by themselves, for CAs that do not mark them as seal makers' (PEM).
    #[arg(long, num_args = 1..)]
    seal_maker: Vec<PathBuf>,
    /// Where browsers reach the portal, without a path; the first is the official one. Default: http://localhost:PORT.
    #[arg(long, num_args = 1..)]
    public_origin: Vec<String>,
    /// The folder with sealbridge.js; it is served under /client/.
    #[arg(long)]
    client: Option<PathBuf>,
    /// Where accepted bids are kept. Default: the database's name with `.documents` added.
    #[arg(long)]
    documents: Option<PathBuf>,
    /// Largest document in MiB.
    #[arg(long, default_value_t = 1024)]
    document_max_mib: u64,
    /// Make the account `demo` and show its password on the sign-in page; only for an origin on this machine.
    #[arg(long)]
    demo_account: bool,
    /// The demonstration account's organisation.
    #[arg(long, default_value = demo::ORGANISATION, requires = "demo_account")]
    demo_organisation: String,
    /// The demonstration account's unified social credit code.
    #[arg(long, default_value = demo::CREDIT_CODE, requires = "demo_account")]
    demo_credit_code: String,
    #[command(flatten)]
    asking: AskingArguments,
    #[command(flatten)]
    desk: DeskArguments,
    #[command(flatten)]
    limits: LimitArguments,
}

/// What the authorities that certificates name are asked.
#[derive(Debug, Args)]
struct AskingArguments {
    /// What they must say at login, bind and submission: `required`, every certificate is shown not to be revoked; `when-available`, what is
    /// revoked is refused, and an authority that cannot be reached locks nobody out; `off`, nobody is asked.
    #[arg(long, default_value = "when-available")]
    revocation: Demand,
    /// Seconds that one question may take.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10))]
    authority_seconds: u32,
    /// Seconds that all questions of one request may take.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10))]
    authority_seconds_for_all: u32,
    /// Seconds that an answer is taken without asking again, if it is news that long; 0: every request asks anew.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=86_400))]
    authority_keep_seconds: u32,
    /// Hosts in certificates' addresses that may be on a private network or on this machine, each on this port (80); all others only in the public network.
    #[arg(long, value_name = "HOST[:PORT]", num_args = 1..)]
    authority_private_host: Vec<Host>,
}

/// [`StatusDemand`] on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Demand {
    Required,
    WhenAvailable,
    Off,
}

impl AskingArguments {
    fn asking(&self) -> Asking {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Asking {
            demand: match self.revocation {
                Demand::Required => StatusDemand::Required,
                Demand::WhenAvailable => StatusDemand::WhenAvailable,
                Demand::Off => StatusDemand::NotAsked,
            },
            patience: seconds(self.authority_seconds),
            patience_for_all: seconds(self.authority_seconds_for_all),
            keep_seconds: i64::from(self.authority_keep_seconds),
            private_hosts: self.authority_private_host.clone(),
        }
    }
}

/// The CA's desk to which 【CA管理】 hands over; without it the menu says that no CA is connected.
#[derive(Debug, Args)]
struct DeskArguments {
    /// Where browsers reach the desk, without a path.
    #[arg(long, value_name = "ORIGIN", requires = "desk_authority", requires = "desk_key")]
    desk: Option<String>,
    /// Which of the desk's institutions.
    #[arg(long, value_name = "NAME", default_value = "netca", requires = "desk")]
    desk_institution: String,
    /// The certificate of the desk's issuing CA, whose key signs what it answers (PEM).
    #[arg(long, value_name = "PEM", requires = "desk")]
    desk_authority: Option<PathBuf>,
    /// The portal's own key for hand-overs; it is made where it is not there, readable by its owner only.
    #[arg(long, value_name = "FILE", requires = "desk")]
    desk_key: Option<PathBuf>,
}

impl DeskArguments {
    fn connection(&self) -> Result<Option<Desk>, String> {
        let (Some(origin), Some(authority), Some(key)) = (&self.desk, &self.desk_authority, &self.desk_key) else { return Ok(None) };
        let certificate = std::fs::read(authority).map_err(|error| format!("{}: {error}", authority.display()))?;
        Desk::new(origin, &self.desk_institution, &certificate, desk::key(key)?).map(Some)
    }
}

/// Who waits, for how long; nobody needs these on a first day.
#[derive(Debug, Args)]
struct LimitArguments {
    /// Seconds that a challenge lives.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=120))]
    challenge_seconds: u32,
    /// Challenges for one signed-in session: so many at once, then one every so many seconds.
    #[arg(long, value_name = "BURST/SECONDS", default_value = "20/3")]
    session_challenges: Bucket,
    /// Challenges for everybody else at one network address.
    #[arg(long, value_name = "BURST/SECONDS", default_value = "60/1")]
    address_challenges: Bucket,
    /// So many documents are received at once, from all accounts together.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    upload_places: u16,
    /// Seconds that a sender waits for a place.
    #[arg(long, default_value_t = 20)]
    upload_wait_seconds: u32,
    /// Minutes that one upload may take.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440))]
    upload_minutes: u32,
    /// KiB a second that a sender has to keep up, looked at every ten seconds; 0 lets any pace pass.
    #[arg(long, default_value_t = 16)]
    upload_min_kib: u32,
    /// Address range of reverse proxies whose word for a client's address is taken; may be repeated.
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<Network>,
    /// The header in which those proxies write it: x-forwarded-for, x-real-ip, forwarded.
    #[arg(long, value_name = "NAME", default_value = "x-forwarded-for")]
    forwarded_header: HeaderName,
}

impl LimitArguments {
    fn limits(&self) -> Limits {
        let usual = UploadLimits::default();
        let uploads = UploadLimits {
            places: usize::from(self.upload_places),
            wait: Duration::from_secs(u64::from(self.upload_wait_seconds)),
            longest: Duration::from_secs(u64::from(self.upload_minutes).saturating_mul(60)),
            window_bytes: u64::from(self.upload_min_kib).saturating_mul(1024).saturating_mul(usual.window.as_secs()),
            ..usual
        };
        Limits { uploads, session_challenges: self.session_challenges, address_challenges: self.address_challenges }
    }

    fn proxies(&self) -> Proxies {
        Proxies { networks: self.trusted_proxy.clone(), header: self.forwarded_header.clone() }
    }
}

#[derive(Debug, Subcommand)]
enum AccountVerb {
    /// Make an account; the password is read from stdin (10 to 256 characters, one line).
    Add(Add),
    /// Note how many files of an account are encrypted to its certificate and not yet decrypted; 变更 waits until there are none.
    EncryptedFiles {
        /// The SQLite file.
        #[arg(long)]
        database: PathBuf,
        /// The account's name.
        #[arg(long)]
        name: String,
        /// How many, as the bidding system knows it.
        #[arg(long, value_parser = clap::value_parser!(u32).range(..=i64::from(UNDECRYPTED_MAX)))]
        count: u32,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// The SQLite file.
    #[arg(long)]
    database: PathBuf,
    /// What the user types at login.
    #[arg(long)]
    name: String,
    /// Read the password from stdin. There is no other way: a command line can be read by others.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// The organisation's name as on its licence.
    #[arg(long)]
    organisation: String,
    /// The unified social credit code, 18 characters.
    #[arg(long)]
    credit_code: String,
    /// An auditor sees every audit record.
    #[arg(long, value_enum, default_value = "supplier")]
    role: RoleName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    Supplier,
    Auditor,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"))).init();
    let done = match Arguments::parse().verb {
        Verb::Serve(serve) => run(*serve).await,
        Verb::Account(AccountVerb::Add(add)) => add_account(add).await,
        Verb::Account(AccountVerb::EncryptedFiles { database, name, count }) => note_encrypted_files(&database, &name, count).await,
        Verb::DeskKey { file } => print_desk_key(&file),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _told = writeln!(std::io::stderr(), "reference-portal: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(serve: Serve) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(serve.listen).await.map_err(|error| format!("{}: {error}", serve.listen))?;
    let port = listener.local_addr()?.port();
    let mut origins = serve.public_origin;
    if origins.is_empty() {
        origins.push(format!("http://localhost:{port}"));
    }
    let checks = Checks::new(&origins, &read_all(&serve.trust)?, &read_all(&serve.intermediate)?)?.with_challenge_seconds(serve.limits.challenge_seconds);
    let checks = checks.with_seal_makers(&read_all(&serve.seal_maker)?)?;
    let connected = serve.desk.connection()?;
    let documents = serve.documents.unwrap_or_else(|| beside(&serve.database));
    std::fs::create_dir_all(&documents).map_err(|error| format!("{}: {error}", documents.display()))?;
    sweep(&documents);
    if let Some(client) = &serve.client
        && !client.join("sealbridge.js").is_file()
    {
        return Err(format!("{}: there is no sealbridge.js", client.display()).into());
    }
    let database = Database::open(&serve.database).await?;
    let clock = Clock::default();
    if serve.demo_account {
        if !origins.iter().all(|origin| is_on_this_machine(origin)) {
            return Err("--demo-account has a public password and is only for an origin on this machine".into());
        }
        demo::ensure(&database, &serve.demo_organisation, &serve.demo_credit_code, clock.now()).await?;
    }
    let announced = origins.first().cloned().unwrap_or_default();
    let settings = Settings {
        origins,
        client: serve.client,
        documents,
        document_max: serve.document_max_mib.saturating_mul(1024 * 1024),
        demo_account: serve.demo_account,
        limits: serve.limits.limits(),
        proxies: serve.limits.proxies(),
        desk: connected,
        asking: serve.asking.asking(),
    };
    let portal = web::router(Portal::new(settings, database.clone(), checks, clock));
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::json!({ "listening": announced }))?;
    stdout.flush()?;
    drop(stdout);
    axum::serve(listener, portal.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(stopped()).await?;
    database.close().await;
    Ok(())
}

async fn add_account(add: Add) -> Result<(), Box<dyn std::error::Error>> {
    let mut password = String::new();
    std::io::stdin().take(4096).read_to_string(&mut password)?;
    let password = password.strip_suffix('\n').unwrap_or(&password);
    let password = password.strip_suffix('\r').unwrap_or(password).to_owned();
    let database = Database::open(&add.database).await?;
    let account = NewAccount {
        name: &add.name,
        organisation: &add.organisation,
        credit_code: &add.credit_code,
        role: match add.role {
            RoleName::Supplier => Role::Supplier,
            RoleName::Auditor => Role::Auditor,
        },
    };
    accounts::add(&database, &account, password, Clock::default().now()).await?;
    database.close().await;
    Ok(())
}

async fn note_encrypted_files(file: &Path, name: &str, count: u32) -> Result<(), Box<dyn std::error::Error>> {
    let database = Database::open(file).await?;
    let account = accounts::by_name(&database, name).await?.ok_or_else(|| format!("{name}: there is no such account"))?;
    let now = Clock::default().now();
    store::desk::set_undecrypted(&database, &account, count, now).await?;
    database.close().await;
    Ok(())
}

fn print_desk_key(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let pem = desk::public_pem(&desk::key(file)?)?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(pem.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, String> {
    files.iter().map(|file| std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))).collect()
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".documents");
    database.with_file_name(name)
}

/// Uploads that a killed portal left half done.
fn sweep(documents: &Path) {
    for entry in std::fs::read_dir(documents).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "part") {
            let _gone = std::fs::remove_file(entry.path());
        }
    }
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
