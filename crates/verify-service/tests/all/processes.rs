//! The program as real processes, a keep-alive HTTP client of thirty lines, and a real PostgreSQL.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The service as a process; it is killed (SIGKILL) at the end of this value.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(place: &str, folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealbridge-verify-service"))
            .args(["serve", "--listen", "127.0.0.1:0", "--session-challenges", "1000000/1", "--portal-challenges", "1000000*1000000", "--database", place])
            .arg("--temporary")
            .arg(folder.join("temporary"))
            .env("RUST_LOG", "off")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let address = told["listening"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Running { child, address }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM; whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap().success()
    }

    /// Peak resident memory in KiB (proc(5), VmHWM).
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// One connection.
pub(crate) struct Client {
    stream: tokio::io::BufReader<TcpStream>,
    key: String,
}

impl Client {
    pub(crate) async fn connect(address: &str, key: &str) -> std::io::Result<Self> {
        Ok(Client { stream: tokio::io::BufReader::new(TcpStream::connect(address).await?), key: key.to_owned() })
    }

    /// Status and body.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, Value)> {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: service\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}", self.key, body.len());
        self.stream.get_mut().write_all(head.as_bytes()).await?;
        self.answer().await
    }

    pub(crate) fn raw(&mut self) -> &mut TcpStream {
        self.stream.get_mut()
    }

    pub(crate) async fn answer(&mut self) -> std::io::Result<(u16, Value)> {
        let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let (mut status, mut length) = (0, 0);
        for number in 0.. {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(broken());
            }
            let line = line.trim_end();
            if number == 0 {
                status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
            } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(|_| broken())?;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

/// A PostgreSQL server of its own, in a folder of its own; stopped at the end of this value.
pub(crate) struct Postgres {
    folder: tempfile::TempDir,
    port: u16,
    programs: PathBuf,
}

impl Postgres {
    /// `None`, said aloud, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
        versions.sort();
        let Some(programs) = versions.pop().filter(|bin| bin.join("initdb").exists()) else {
            eprintln!("SKIPPED: PostgreSQL is not installed (package postgresql)");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("sb-pg").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Postgres { folder, port, programs };
        if let Some((user, group)) = server.owner() {
            std::os::unix::fs::chown(server.folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = server.folder.path().join("d");
        server.run("initdb", &["-D", data.to_str().unwrap(), "-U", "app", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]);
        server.up();
        Some(server)
    }

    /// The server refuses to run as root; then its own user does. User and group number.
    fn owner(&self) -> Option<(u32, u32)> {
        let root = std::fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0);
        let number = |flag: &str| String::from_utf8(Command::new("id").args([flag, "postgres"]).output().ok()?.stdout).ok()?.trim().parse().ok();
        if root { Some((number("-u")?, number("-g")?)) } else { None }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(self.folder.path()).stdout(Stdio::null());
        if let Some((user, group)) = self.owner() {
            command.uid(user).gid(group);
        }
        assert!(command.status().unwrap().success(), "{program} {arguments:?}");
    }

    /// Starts it with everything that keeps an acknowledged commit.
    pub(crate) fn up(&self) {
        let folder = self.folder.path().to_str().unwrap();
        let options = format!("-c listen_addresses=127.0.0.1 -p {} -k {folder} -c ssl=off -c max_connections=60", self.port);
        self.run("pg_ctl", &["-D", &format!("{folder}/d"), "-s", "-w", "-l", &format!("{folder}/log"), "-o", &options, "start"]);
    }

    /// As if the power had gone: no checkpoint, no farewell.
    pub(crate) fn kill(&self) {
        self.run("pg_ctl", &["-D", self.folder.path().join("d").to_str().unwrap(), "-s", "-m", "immediate", "stop"]);
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://app@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("d");
        let mut command = Command::new(self.programs.join("pg_ctl"));
        command.args(["-D", data.to_str().unwrap(), "-s", "-m", "immediate", "stop"]).current_dir(self.folder.path()).stderr(Stdio::null());
        if let Some((user, group)) = self.owner() {
            command.uid(user).gid(group);
        }
        let _stopped = command.status();
    }
}

#[test]
fn limits_that_contradict_each_other_are_refused_at_the_start() {
    for (arguments, said) in [
        (&["--authority-seconds-for-all", "30"][..], "--call-seconds (30)"),
        (&["--call-seconds", "10"], "--authority-seconds-for-all (10)"),
        (&["--authority-seconds", "11"], "--authority-seconds (11)"),
        (&["--authority-private-host", "http://crl.example.cn/"], "not a host such as"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealbridge-verify-service"));
        let output = command.args(["serve", "--listen", "127.0.0.1:0", "--database"]).arg(folder.path().join("v.sqlite")).args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty() && told.contains(said), "{arguments:?}: {told}");
    }
}
