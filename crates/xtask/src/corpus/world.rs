//! The isolated little world that a corpus or a benchmark stamps in: release programs, one embedded soft token per job with a test
//! organisation's key and seal, and a home whose configuration names nothing else. It never looks at the person's own home.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::build;
use crate::corpus::process;
use crate::steps::{Failure, failed, run_loud};
use crate::tree;

const PIN: &str = "Test-2468";

/// Where everything lies.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// One home per job: their tokens do not wait for each other.
    homes: Vec<PathBuf>,
    /// The test root, PEM.
    pub trust: PathBuf,
}

impl World {
    /// Builds the release programs and makes the world new below `folder`.
    pub(crate) fn build(folder: &Path, jobs: usize) -> Result<Self, Failure> {
        let mut cargo = build::cargo();
        cargo.args(["build", "--release", "--quiet", "-p", "sealbridge", "-p", "sealbridge-soft-token", "-p", "sealbridge-reference-ca"]);
        run_loud(&mut cargo)?;
        build::seal_font()?;
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        let homes: Vec<PathBuf> = (0..jobs).map(|job| folder.join(format!("job-{job}"))).collect();
        let Some(first) = homes.first() else { return failed("at least one job is needed") };
        configure(first)?;
        let ca = folder.join("ca");
        issue(first, &ca)?;
        for home in homes.iter().skip(1) {
            configure(home)?;
            fs::copy(first.join("token.sql"), home.join("token.sql"))?;
        }
        Ok(Self { trust: ca.join("trust.pem"), homes })
    }

    /// `sealbridge` with the home of `job`.
    pub(crate) fn sealbridge(&self, job: usize) -> Command {
        let mut command = Command::new(tree::program("sealbridge", true));
        self.at_home(&mut command, job);
        command
    }

    /// `sealbridge stamp` reading the PIN from standard input ([`World::input`]); with a password file it comes through descriptor 3.
    pub(crate) fn stamp(&self, job: usize, password: Option<&Path>) -> Command {
        let program = tree::program("sealbridge", true);
        let mut command = match password {
            None => Command::new(program),
            Some(file) => {
                // The shell opens the descriptor: nothing else can without unsafe code.
                let mut command = Command::new("sh");
                command.args(["-c", "exec \"$0\" \"$@\" 3<\"$PASSWORD_FILE\""]).arg(program).env("PASSWORD_FILE", file);
                command
            }
        };
        command.args(["stamp", "--json", "--lang", "en", "--pin-fd", "0"]);
        if password.is_some() {
            command.args(["--password-fd", "3"]);
        }
        self.at_home(&mut command, job);
        command
    }

    /// What `sealbridge stamp` must be given on its standard input.
    pub(crate) fn input(&self) -> Vec<u8> {
        format!("{PIN}\n").into_bytes()
    }

    fn at_home(&self, command: &mut Command, job: usize) {
        if let Some(home) = self.homes.get(job) {
            command.env("HOME", home);
        }
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
    }
}

fn module() -> PathBuf {
    tree::binaries(true).join(format!("{}sealbridge_soft_token{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

fn configure(home: &Path) -> Result<(), Failure> {
    let config = home.join(".config/sealbridge");
    fs::create_dir_all(&config)?;
    let token = home.join("token.conf");
    fs::write(&token, format!("[[slots]]\nslot = 0\ndbtype = \"sqlite\"\ndbargs = {}\n", quoted(&home.join("token.sql"))))?;
    let text = format!("[[module]]\nname = \"soft\"\npath = {}\ntries = 10\nenvironment = {{ KRYOPTIC_CONF = {} }}\n", quoted(&module()), quoted(&token));
    fs::write(config.join("config.toml"), text)?;
    Ok(())
}

/// A TOML string.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy().into_owned()).to_string()
}

fn issue(home: &Path, ca: &Path) -> Result<(), Failure> {
    let token = home.join("token.conf");
    let mut command = Command::new(tree::program("reference-ca", true));
    command.arg("demo").arg("--dir").arg(ca).arg("--module").arg(module());
    command.arg("--env").arg(format!("KRYOPTIC_CONF={}", token.display())).env("KRYOPTIC_CONF", &token);
    command.args(["--label", "Sealbridge corpus", "--so-pin", "SoPin-97531", "--pin", PIN]);
    command.args(["--organisation", "测试印桥科技有限公司", "--credit-code", "91440300MA5TEXY00U", "--json", "--font"]);
    command.arg(tree::target().join("fonts").join(build::SEAL_FONT));
    let ran = process::run(&mut command, b"", Duration::from_secs(120))?;
    if ran.success() { Ok(()) } else { failed(format!("the test CA made no token: {}", ran.said())) }
}
