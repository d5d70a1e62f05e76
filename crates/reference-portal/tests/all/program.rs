//! The program itself: its commands, the line it prints, and HTTP over a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

use crate::world::World;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-portal"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[tokio::test]
async fn serve_and_account_add() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("trust.pem"), world.authority().root.to_pem()).unwrap();
    std::fs::write(file("sealbridge.js"), "export const here = true;").unwrap();

    let add = |name: &str, code: &str, password: &str| {
        let mut command = program();
        command.args(["account", "add", "--database"]).arg(file("p.sqlite"));
        command.args(["--name", name, "--organisation", "测试", "--credit-code", code, "--password-stdin"]);
        let output = run(&mut command, password);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(add("s1", "91440300MA5DEMA00Y", "long enough\n"), (true, String::new()));
    for (name, code, password, told) in [
        ("s1", "91440300MA5DEMA00Y", "long enough", "taken"),
        ("s2", "91440300MA5DEMA00X", "long enough", "credit code"),
        ("s2", "91440300MA5DEMA00Y", "short", "10 to 256"),
        (" s2", "91440300MA5DEMA00Y", "long enough", "name"),
    ] {
        let (ok, error) = add(name, code, password);
        assert!(!ok && error.contains(told), "{name} {code}: {error}");
    }

    let serve = |more: &[&str]| {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--database"]).arg(file("p.sqlite"));
        command.arg("--trust").arg(file("trust.pem")).arg("--client").arg(folder.path()).args(more);
        command
    };
    let mut child = Running(serve(&[]).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let host = told["listening"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    for (path, status, part) in [
        ("/healthz", "HTTP/1.1 200", "ok"),
        ("/login", "HTTP/1.1 200", "content=\"/client/sealbridge.js\""),
        ("/client/sealbridge.js", "HTTP/1.1 200", "here = true"),
        ("/client/../p.sqlite", "HTTP/1.1 404", "not-found"),
        ("/client/%2e%2e/p.sqlite", "HTTP/1.1 404", "not-found"),
    ] {
        let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(status) && answer.contains(part), "{path}: {answer}");
    }

    let (trust, key) = (file("trust.pem").display().to_string(), file("desk-key.pem").display().to_string());
    let desk = |origin: &'static str, name: &'static str| ["--desk", origin, "--desk-institution", name, "--desk-authority", &trust, "--desk-key", &key];
    for (more, told) in [
        (&["--desk", "https://ca.example"][..], "--desk-authority"),
        (&["--desk-key", "x"], "--desk"),
        (&desk("https://ca.example/desk", "netca"), "origin"),
        (&desk("https://ca.example; script-src *", "netca"), "origin"),
        (&desk("https://ca.example", "Net CA"), "institution"),
        (&["--demo-account", "--public-origin", "https://portal.example"], "only for an origin on this machine"),
        (&["--public-origin", "portal.example"], "origin"),
        (&["--trust", "/nowhere.pem"], "/nowhere.pem"),
    ] {
        let output = run(&mut serve(more), "");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(told), "{more:?}: {error}");
    }
    std::fs::remove_file(file("sealbridge.js")).unwrap();
    let output = run(&mut serve(&[]), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no sealbridge.js"));
}
