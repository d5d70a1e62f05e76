//! HTTP/1.1 over a socket, one request a connection, for whoever comes to the CA's desk without a browser. A request and its answer are two
//! steps, so that something can happen in between. It knows neither TLS nor redirects, and gives up after a while.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::bidi::{DriveError, Driven, failed};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that was sent.
#[derive(Debug)]
pub struct Sent(TcpStream);

/// An answer, as a whole.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names as they came, with their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a request to a port of this machine.
pub fn send(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Driven<Sent> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n").as_bytes())?;
    // A server that refuses early closes early; its answer counts.
    let _sent = stream.write_all(body);
    Ok(Sent(stream))
}

impl Sent {
    /// Waits for the whole answer.
    pub fn answer(mut self) -> Driven<Answer> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes)?;
        parsed(&bytes)
    }
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> Driven<Value> {
        serde_json::from_slice(&self.body).map_err(|error| DriveError(format!("HTTP {} with no JSON ({error}): {}", self.status, self.text())))
    }

    /// The same answer, if it has this status.
    pub fn expect(self, status: u16) -> Driven<Self> {
        if self.status == status { Ok(self) } else { failed(format!("HTTP {} instead of {status}: {}", self.status, self.text())) }
    }
}

fn parsed(bytes: &[u8]) -> Driven<Answer> {
    let cut = || DriveError(format!("an answer that was cut off: {}", String::from_utf8_lossy(bytes)));
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").ok_or_else(cut)?;
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(cut)?;
    let headers: Vec<(String, String)> = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let named = |wanted: &str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str());
    let rest = bytes.get(end + 4..).unwrap_or_default();
    let body = if named("transfer-encoding") == Some("chunked") {
        unchunked(rest).ok_or_else(cut)?
    } else {
        let length = named("content-length").and_then(|length| length.parse().ok()).unwrap_or(rest.len());
        rest.get(..length).ok_or_else(cut)?.to_vec()
    };
    Ok(Answer { status, headers, body })
}

/// The body out of its chunks; nothing where the last one is missing.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = rest.windows(2).position(|part| part == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(rest.get(..line)?).ok()?, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(line + 2..line + 2 + size)?);
        rest = rest.get(line + 4 + size..)?;
    }
}
