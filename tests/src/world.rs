//! A whole small world for one run: an isolated home, a token with an organisation's key, certificate and seal, the host
//! registered for the browsers' profiles, a scripted PIN window, and the reference portal on SQLite. Or one in which the key's life
//! has not begun: the token is blank, and the CA's desk runs and is connected to the portal. The demo and every end-to-end test
//! stand on it. It refuses to touch anything outside the folder it is given.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bidi::{DriveError, Driven, failed};
use crate::browser::{Browser, Kind, Launch, profile_folder};
use crate::desk::Desk;
use crate::unpacked;

/// Which PKCS#11 module holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The embedded soft token (kryoptic): locks after ten wrong PINs, as a real key does.
    Soft,
    /// SoftHSM 2 from the distribution.
    Softhsm,
}

impl Token {
    /// The name used in options and folders.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Softhsm => "softhsm",
        }
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Soft, Self::Softhsm].into_iter().find(|token| token.as_str() == text).ok_or_else(|| format!("{text}: not one of soft, softhsm"))
    }
}

/// The test organisation; every name says that it is a test.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// Name in the certificate, on the seal and in the portal's account.
    pub name: String,
    /// Unified social credit code (GB 32100).
    pub credit_code: String,
}

impl Default for Organisation {
    fn default() -> Self {
        Self { name: "测试印桥科技有限公司".into(), credit_code: "91440300MA5TEXY00U".into() }
    }
}

/// How a world is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Everything is written below this folder.
    pub folder: PathBuf,
    /// The module that holds the key.
    pub token: Token,
    /// Whose key it is.
    pub organisation: Organisation,
    /// The user PIN.
    pub pin: String,
    /// What the scripted PIN window answers; `None` leaves the host to the person's own PIN window.
    pub answers: Option<Vec<String>>,
    /// JWS algorithm of the key: es256, es384 or rs256.
    pub algorithm: String,
    /// What is different about the certificate, in the CA desk's words: normal, expired, encryption-only and so on.
    pub variant: String,
    /// The key's life has not begun: the token is blank, a second blank one lies ready for a reissue, nothing is issued, and the CA's
    /// desk runs as a service whose grants the host believes and to which the portal hands over.
    pub blank: bool,
}

impl Plan {
    /// A soft token with the default organisation and a PIN window that always types the right PIN.
    pub fn new(folder: &Path) -> Self {
        let pin = String::from("Test-2468");
        Self {
            folder: folder.to_owned(),
            token: Token::Soft,
            organisation: Organisation::default(),
            answers: Some(vec![pin.clone()]),
            pin,
            algorithm: "es256".into(),
            variant: "normal".into(),
            blank: false,
        }
    }
}

/// The running world.
#[derive(Debug)]
pub struct World {
    /// How it was made.
    pub plan: Plan,
    /// The isolated home.
    pub home: PathBuf,
    /// What the CA desk left: trust.pem, certificate.der, seal.png and so on.
    pub ca: PathBuf,
    /// The portal's address, such as `http://localhost:41234`.
    pub portal_url: String,
    /// The CA's desk as a service, where the plan is for a blank token.
    pub service: Option<Desk>,
    portal: Option<Portal>,
}

/// Account and password of the portal's test supplier.
pub const ACCOUNT: (&str, &str) = ("supplier", "Portal-13579");

impl World {
    /// Makes the world: token, certificate, seal, host registration, portal with one account.
    pub fn build(plan: Plan) -> Driven<Self> {
        let mut world = Self::prepare(plan)?;
        world.open()?;
        Ok(world)
    }

    /// The first half of [`World::build`]: everything but what runs.
    pub fn prepare(plan: Plan) -> Driven<Self> {
        let home = plan.folder.join("home");
        let ca = plan.folder.join("ca");
        fs::create_dir_all(&home)?;
        fs::create_dir_all(&ca)?;
        let world = Self { plan, home, ca, portal_url: String::new(), service: None, portal: None };
        if world.plan.blank {
            world.module()?;
        } else {
            world.make_token()?;
        }
        world.configure()?;
        world.register()?;
        Ok(world)
    }

    /// The second half: starts the CA's desk, where the plan has one, and the portal.
    pub fn open(&mut self) -> Driven<()> {
        self.add_account(ACCOUNT.0, ACCOUNT.1, &self.plan.organisation.name, &self.plan.organisation.credit_code)?;
        let program = Command::new(built("reference-portal")?);
        if !self.plan.blank {
            return self.run_portal(program, "portal.log", &[]);
        }
        // Each is told the other's address and key when it starts, so the portal's port is settled first.
        let port = free_port()?;
        let key = self.plan.folder.join("portal-key.pem");
        let mut shown = Command::new(built("reference-portal")?);
        shown.args(["desk-key", "--file"]).arg(&key);
        let public = self.plan.folder.join("portal-public.pem");
        fs::write(&public, run(shown, None)?)?;
        let desk = Desk::start(&self.plan.folder, &self.ca, &[(format!("http://localhost:{port}"), public)])?;
        let (authority, key) = (self.authority().display().to_string(), key.display().to_string());
        // The desk's certificates name its own lists and OCSP, on this computer; nothing is kept, so that what it revokes counts at once.
        let services = desk.origin().trim_start_matches("http://");
        let connected = [
            "--desk",
            desk.origin(),
            "--desk-authority",
            &authority,
            "--desk-key",
            &key,
            "--authority-private-host",
            services,
            "--authority-keep-seconds",
            "0",
        ];
        self.run_portal_at(port, program, "portal.log", &connected)?;
        self.service = Some(desk);
        Ok(())
    }

    /// The certificate of the issuing CA, with the root behind it.
    pub fn authority(&self) -> PathBuf {
        self.ca.join("chain.pem")
    }

    /// The desk of a world with a blank token.
    pub fn service(&self) -> Driven<&Desk> {
        self.service.as_ref().ok_or_else(|| DriveError("this world has no CA's desk: its token was served beforehand".into()))
    }

    /// Makes the token: initialises it, makes the key on it, the certificate and the seal.
    pub fn make_token(&self) -> Driven<Value> {
        self.desk("demo", &["--so-pin", "SoPin-97531", "--variant", &self.plan.variant])
    }

    /// Runs a verb of the CA desk on the world's token, with more options behind the usual ones: `certificate` adds one more key.
    pub fn desk(&self, verb: &str, more: &[&str]) -> Driven<Value> {
        let (module, environment) = self.module()?;
        let mut command = Command::new(built("reference-ca")?);
        command.arg(verb).arg("--dir").arg(&self.ca).arg("--module").arg(&module);
        for (name, value) in &environment {
            command.arg("--env").arg(format!("{name}={value}"));
            command.env(name, value);
        }
        command.args(["--label", "Sealbridge test", "--pin", &self.plan.pin]);
        command.args(["--organisation", &self.plan.organisation.name, "--credit-code", &self.plan.organisation.credit_code]);
        command.args(["--algorithm", &self.plan.algorithm, "--json"]);
        if let Some(font) = font() {
            command.arg("--font").arg(font);
        }
        command.args(more);
        let printed = run(command, None)?;
        serde_json::from_str(printed.lines().last().unwrap_or_default())
            .map_err(|error| DriveError(format!("reference-ca printed no JSON: {error}: {printed}")))
    }

    /// The module's absolute path and the environment that its worker process gets.
    pub fn module(&self) -> Driven<(PathBuf, Vec<(String, String)>)> {
        let folder = self.plan.folder.join("token");
        fs::create_dir_all(&folder)?;
        match self.plan.token {
            Token::Soft => {
                let config = folder.join("token.conf");
                if !config.exists() {
                    // SoftHSM always has one blank slot more; here there are as many as are written down.
                    let tokens: &[&str] = if self.plan.blank { &["token.sql", "token-2.sql"] } else { &["token.sql"] };
                    let slot =
                        |(slot, file): (usize, &&str)| format!("[[slots]]\nslot = {slot}\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", folder.join(file).display());
                    fs::write(&config, tokens.iter().enumerate().map(slot).collect::<String>())?;
                }
                Ok((built_library("sealbridge_soft_token")?, vec![("KRYOPTIC_CONF".into(), config.display().to_string())]))
            }
            Token::Softhsm => {
                let config = folder.join("softhsm2.conf");
                fs::create_dir_all(folder.join("tokens"))?;
                fs::write(&config, format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", folder.join("tokens").display()))?;
                let places = [
                    "/usr/lib/softhsm/libsofthsm2.so",
                    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                    "/usr/local/lib/softhsm/libsofthsm2.so",
                    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
                ];
                let Some(module) = places.iter().find(|place| Path::new(place).exists()) else {
                    return failed(format!("SoftHSM 2 is not installed (looked at {places:?})"));
                };
                Ok((PathBuf::from(module), vec![("SOFTHSM2_CONF".into(), config.display().to_string())]))
            }
        }
    }

    /// From now on only the `number`-th token is plugged in, counted from one. The first is what the world began with, the others are blank when
    /// they come; what is unplugged keeps what is on it.
    pub fn plug(&self, number: usize) -> Driven<()> {
        let folder = self.plan.folder.join("token");
        match self.plan.token {
            Token::Soft => {
                let file = if number == 1 { String::from("token.sql") } else { format!("token-{number}.sql") };
                let slot = number - 1;
                let config = format!("[[slots]]\nslot = {slot}\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", folder.join(file).display());
                fs::write(folder.join("token.conf"), config)?;
            }
            Token::Softhsm => {
                let (plugged, drawer) = (folder.join("tokens"), |number: usize| folder.join(format!("unplugged-{number}")));
                let label = folder.join("plugged");
                let before = fs::read_to_string(&label).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
                fs::rename(&plugged, drawer(before))?;
                if drawer(number).exists() {
                    fs::rename(drawer(number), &plugged)?
                } else {
                    fs::create_dir_all(&plugged)?
                }
                fs::write(label, number.to_string())?;
            }
        }
        Ok(())
    }

    /// Where the host's configuration lies.
    pub fn config_file(&self) -> PathBuf {
        self.home.join(".config/sealbridge/config.toml")
    }

    /// Writes the host's configuration; tests change the file afterwards to break one link.
    pub fn configure(&self) -> Driven<()> {
        let (module, environment) = self.module()?;
        let environment: Vec<String> = environment.iter().map(|(name, value)| format!("{name} = {}", json!(value))).collect();
        let mut config = format!(
            "developer = true\n\n[[module]]\nname = {}\npath = {}\nenvironment = {{ {} }}\n",
            json!(self.plan.token.as_str()),
            json!(module.display().to_string()),
            environment.join(", ")
        );
        if self.plan.token == Token::Soft {
            config.push_str("tries = 10\n");
        }
        if self.plan.blank {
            config.push_str(&format!("\n[[authority]]\ncertificate = {}\n", json!(self.authority().display().to_string())));
        }
        if self.plan.answers.is_some() {
            config.push_str(&format!("\n[dialog]\nprograms = [{}]\n", json!(self.scripted_pinentry()?.display().to_string())));
        }
        let file = self.config_file();
        fs::create_dir_all(file.parent().unwrap_or(&self.home))?;
        fs::write(file, config)?;
        self.answer(self.plan.answers.as_deref().unwrap_or_default())
    }

    /// Tells the scripted PIN window what to answer from now on (the last answer repeats) and empties its log.
    pub fn answer(&self, answers: &[String]) -> Driven<()> {
        let program = self.plan.folder.join("pinentry/scripted-pinentry");
        if !program.exists() {
            return Ok(());
        }
        let log = self.pinentry_log_file();
        fs::write(&log, "")?;
        let answers: Vec<Value> = answers.iter().map(|answer| json!(answer)).collect();
        let state = self.plan.folder.join("pinentry/scripted-pinentry.state");
        let _ = fs::remove_file(state);
        fs::write(program.with_file_name("scripted-pinentry.toml"), format!("log = {}\nanswers = {}\n", json!(log.display().to_string()), json!(answers)))?;
        Ok(())
    }

    /// Everything that was sent to the scripted PIN window since [`World::answer`].
    pub fn pinentry_log(&self) -> Driven<String> {
        fs::read_to_string(self.pinentry_log_file()).map_err(Into::into)
    }

    /// Starts a browser of this world with the extension.
    pub fn browser(&self, kind: Kind, headless: bool) -> Driven<Browser> {
        self.browser_with(kind, headless, &unpacked::built(kind)?)
    }

    /// Starts a browser of this world with another build of the extension.
    pub fn browser_with(&self, kind: Kind, headless: bool, extension: &Path) -> Driven<Browser> {
        Browser::launch(&Launch { kind, headless, extension: Some(extension.to_owned()), home: self.home.clone(), size: (1280, 900) })
    }

    /// Puts other PIN-window programs into the host's configuration.
    pub fn set_dialog(&self, program: &Path) -> Driven<()> {
        let config = fs::read_to_string(self.config_file())?;
        let config =
            config.split("\n[dialog]").next().unwrap_or_default().to_owned() + &format!("\n[dialog]\nprograms = [{}]\n", json!(program.display().to_string()));
        fs::write(self.config_file(), config).map_err(Into::into)
    }

    /// Changes the host's configuration as text: one link broken on purpose.
    pub fn change_config(&self, from: &str, to: &str) -> Driven<()> {
        let config = fs::read_to_string(self.config_file())?;
        if !config.contains(from) {
            return failed(format!("the configuration has no {from}: {config}"));
        }
        fs::write(self.config_file(), config.replace(from, to)).map_err(Into::into)
    }

    /// Runs the terminal door of the host in this world's home.
    pub fn sealbridge(&self, arguments: &[&str]) -> Driven<(i32, String, String)> {
        let mut command = Command::new(built("sealbridge")?);
        command.args(arguments).env("HOME", &self.home).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        let output = command.stdin(Stdio::null()).output()?;
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// Registers the host for the profiles of both browsers in this world's home.
    pub fn register(&self) -> Driven<()> {
        for kind in Kind::ALL {
            fs::create_dir_all(profile_folder(&self.home, kind))?;
        }
        let mut command = Command::new(built("sealbridge")?);
        command.arg("install").arg("--dir").arg(profile_folder(&self.home, Kind::Chromium)).arg("--firefox-home").arg(&self.home);
        command.env("HOME", &self.home);
        run(command, None).map(drop)
    }

    /// Adds an account to the portal.
    pub fn add_account(&self, name: &str, password: &str, organisation: &str, credit_code: &str) -> Driven<()> {
        let mut command = Command::new(built("reference-portal")?);
        command.args(["account", "add", "--database"]).arg(self.database());
        command.args(["--name", name, "--organisation", organisation, "--credit-code", credit_code, "--password-stdin"]);
        run(command, Some(password)).map(drop)
    }

    /// The portal's database file.
    pub fn database(&self) -> PathBuf {
        self.plan.folder.join("portal.sqlite")
    }

    /// The same world with a second portal on the same accounts, started by `program` (the portal's own, or what starts it
    /// somewhere) with more options.
    pub fn with_portal(&self, program: Command, options: &[&str]) -> Driven<Self> {
        let mut world = Self { plan: self.plan.clone(), home: self.home.clone(), ca: self.ca.clone(), portal_url: String::new(), service: None, portal: None };
        world.run_portal(program, "portal-2.log", options)?;
        Ok(world)
    }

    fn run_portal(&mut self, command: Command, log: &str, options: &[&str]) -> Driven<()> {
        self.run_portal_at(free_port()?, command, log, options)
    }

    fn run_portal_at(&mut self, port: u16, mut command: Command, log: &str, options: &[&str]) -> Driven<()> {
        let url = format!("http://localhost:{port}");
        let log_file = self.plan.folder.join(log);
        let log = fs::File::create(&log_file)?;
        command.arg("serve").arg("--listen").arg(format!("127.0.0.1:{port}")).arg("--database").arg(self.database());
        command.arg("--trust").arg(self.ca.join("trust.pem")).arg("--public-origin").arg(&url);
        command.arg("--client").arg(target().join("extension/page-client")).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut portal = Portal(command.spawn()?);
        let Some(stdout) = portal.0.stdout.take() else { return failed("the portal has no stdout") };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        if !line.contains("listening") {
            return failed(format!("the portal did not start: {line} {}", fs::read_to_string(log_file).unwrap_or_default()));
        }
        self.portal_url = url;
        self.portal = Some(portal);
        Ok(())
    }

    fn scripted_pinentry(&self) -> Driven<PathBuf> {
        let folder = self.plan.folder.join("pinentry");
        fs::create_dir_all(&folder)?;
        let program = folder.join("scripted-pinentry");
        if !program.exists() {
            fs::copy(built("scripted-pinentry")?, &program)?;
        }
        Ok(program)
    }

    fn pinentry_log_file(&self) -> PathBuf {
        self.plan.folder.join("pinentry/log.txt")
    }
}

/// A running portal; dropping it ends it.
#[derive(Debug)]
struct Portal(Child);

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The workspace's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from)
}

/// A program of this workspace, built beforehand: `target/release` if this program is a release build, else `target/debug`.
pub fn built(name: &str) -> Driven<PathBuf> {
    let file = target().join(profile()).join(name);
    if file.exists() { file.canonicalize().map_err(Into::into) } else { failed(format!("{} is not built: run `cargo xtask build`", file.display())) }
}

/// The shipped font for seals, where the build has put it.
pub fn font() -> Option<PathBuf> {
    ["NotoSerifSC-SemiBold.ttf", "NotoSansSC-Regular.ttf"].iter().map(|name| target().join("fonts").join(name)).find(|file| file.exists())
}

/// Runs a program to its end and returns what it printed; a failure carries both of its outputs.
pub fn run(mut command: Command, input: Option<&str>) -> Driven<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| DriveError(format!("{program} did not start: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input is not a failure of ours.
        let _ = stdin.write_all(input.unwrap_or_default().as_bytes());
    }
    let output = child.wait_with_output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(printed)
    } else {
        failed(format!("{program} failed ({}): {printed} {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// How long a step in a browser may take on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

fn free_port() -> Driven<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn built_library(name: &str) -> Driven<PathBuf> {
    let file = format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    built(&file)
}

fn profile() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}
